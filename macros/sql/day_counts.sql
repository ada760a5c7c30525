{#- Counts of a day's events by type. -#}
{% macro day_counts() -%}
    count(*) as event_count,
        count(case when event_type = 'page_view' then 1 end) as page_view_count,
        count(case when event_type = 'track' then 1 end) as tracked_event_count,
        count(case when event_type = 'track_feature' then 1 end) as feature_event_count,
        count(case when event_type = 'interaction' then 1 end) as interaction_count,
        count(case when event_type = 'session_start' then 1 end) as session_start_count
{%- endmacro %}

{#- The same over several such counts. -#}
{% macro sums_of_day_counts() -%}
    {%- for count in [
        'event_count', 'page_view_count', 'tracked_event_count', 'feature_event_count',
        'interaction_count', 'session_start_count',
    ] -%}
        cast(sum({{ count }}) as bigint) as {{ count }}{% if not loop.last %},
        {% endif -%}
    {%- endfor -%}
{%- endmacro %}
