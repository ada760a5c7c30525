{% macro event_order() %}
    {{ return([
        'occurred_at',
        "coalesce(internal_event_id, '')",
        "coalesce(event_name, '')",
        'event_key',
    ]) }}
{% endmacro %}
