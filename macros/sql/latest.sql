{#- The latest (earliest) value of a column over a group's events; NULLs are passed over. -#}
{% macro latest(column) -%}
    {{ max_by(column, event_order()) }}
{%- endmacro %}

{% macro earliest(column) -%}
    {{ min_by(column, event_order()) }}
{%- endmacro %}
