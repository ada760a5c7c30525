{#- The distinct values of a group as one text, sorted. -#}
{% macro join_distinct(column, separator) %}
    {{ return(adapter.dispatch('join_distinct', 'userpilot_warehouse')(column, separator)) }}
{% endmacro %}

{% macro duckdb__join_distinct(column, separator) -%}
    string_agg(distinct {{ column }}, '{{ separator }}' order by {{ column }})
{%- endmacro %}
