{% macro event_order(relation) %}
    {% set prefix = relation ~ '.' if relation else '' %}
    {{ return([
        prefix ~ 'occurred_at',
        'coalesce(' ~ prefix ~ "internal_event_id, '')",
        'coalesce(' ~ prefix ~ "event_name, '')",
        prefix ~ 'event_key',
    ]) }}
{% endmacro %}
