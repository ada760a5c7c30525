{#- The latest (earliest) value of a column over a group's events; NULLs are passed over. -#}
{% macro latest(column, order=event_order()) -%}
    {{ max_by(column, order) }}
{%- endmacro %}

{% macro earliest(column, order=event_order()) -%}
    {{ min_by(column, order) }}
{%- endmacro %}

{#- The time of the last event with a value; of the last event where none has one. -#}
{% macro latest_at(column) -%}
    coalesce(max(case when {{ column }} is not null then occurred_at end), max(occurred_at))
{%- endmacro %}
