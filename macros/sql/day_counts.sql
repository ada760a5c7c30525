{#- What is counted of a day's events, with the event type that counts; all of them without one. -#}
{% macro day_count_types() %}
    {{ return({
        'event_count': none,
        'page_view_count': 'page_view',
        'tracked_event_count': 'track',
        'feature_event_count': 'track_feature',
        'interaction_count': 'interaction',
        'session_start_count': 'session_start',
    }) }}
{% endmacro %}

{#- Counts of a day's events by type. -#}
{% macro day_counts() -%}
    {%- for count, type in day_count_types().items() -%}
        {%- if type -%}
            count(case when event_type = '{{ type }}' then 1 end) as {{ count }}
        {%- else -%}
            count(*) as {{ count }}
        {%- endif -%}
        {%- if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The same over several such counts. -#}
{% macro sums_of_day_counts() -%}
    {%- for count in day_count_types() -%}
        cast(sum({{ count }}) as bigint) as {{ count }}{% if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}
