{#- The latest (earliest) value of a column over a group's interactions; NULLs are passed over. -#}
{% macro latest(column) -%}
    {{ max_by(column, interaction_order()) }}
{%- endmacro %}

{% macro earliest(column) -%}
    {{ min_by(column, interaction_order()) }}
{%- endmacro %}

{#- The time of the last event with a value; of the last event where none has one. -#}
{% macro latest_at(column) -%}
    coalesce(max(case when {{ column }} is not null then occurred_at end), max(occurred_at))
{%- endmacro %}
