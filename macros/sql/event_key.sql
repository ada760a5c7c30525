{#- Single-column key of an event: its id, else the six fields that make one out. -#}
{% macro event_key(time) -%}
    case
        when internal_event_id is not null
            then {{ surrogate_key(['app_token', 'internal_event_id']) }}
        else {{ surrogate_key([
            'app_token', 'event_type', 'event_name', 'user_id', 'company_id',
            'cast(' ~ time ~ ' as varchar)',
        ]) }}
    end
{%- endmacro %}
