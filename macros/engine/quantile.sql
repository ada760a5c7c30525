{% macro quantile(column, share) %}
    {{ return(adapter.dispatch('quantile', 'userpilot_warehouse')(column, share)) }}
{% endmacro %}

{% macro duckdb__quantile(column, share) -%}
    quantile_cont({{ column }}, {{ share }})
{%- endmacro %}
