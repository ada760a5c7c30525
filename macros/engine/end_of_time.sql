{#- A timestamp later than any other: comparisons with it join by hash, which an `or` does not. -#}
{% macro end_of_time() %}
    {{ return(adapter.dispatch('end_of_time', 'userpilot_warehouse')()) }}
{% endmacro %}

{% macro duckdb__end_of_time() -%}
    cast('infinity' as timestamp)
{%- endmacro %}
