{#- `%` stands for any text; every other character for itself, `_` too. -#}
{% macro matches_wildcard(value, pattern) %}
    {{ return(adapter.dispatch('matches_wildcard', 'userpilot_warehouse')(value, pattern)) }}
{% endmacro %}

{% macro duckdb__matches_wildcard(value, pattern) -%}
    {{ value }} like
    replace(replace({{ pattern }}, '\', '\\'), '_', '\_') escape '\'
{%- endmacro %}
