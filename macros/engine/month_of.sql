{#- A date's month as text, `YYYY-MM`. -#}
{% macro month_of(date) %}
    {{ return(adapter.dispatch('month_of', 'userpilot_warehouse')(date)) }}
{% endmacro %}

{% macro duckdb__month_of(date) -%}
    strftime({{ date }}, '%Y-%m')
{%- endmacro %}
