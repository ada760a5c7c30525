{#- The value of the last (or first) row in an order; rows without a value are passed over. -#}
{% macro max_by(column, order) %}
    {{ return(adapter.dispatch('max_by', 'userpilot_warehouse')(column, order)) }}
{% endmacro %}

{% macro duckdb__max_by(column, order) -%}
    max_by({{ column }}, ({{ order | join(', ') }}))
{%- endmacro %}

{% macro min_by(column, order) %}
    {{ return(adapter.dispatch('min_by', 'userpilot_warehouse')(column, order)) }}
{% endmacro %}

{% macro duckdb__min_by(column, order) -%}
    min_by({{ column }}, ({{ order | join(', ') }}))
{%- endmacro %}
