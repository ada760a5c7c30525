{#- The distinct values of a group as one text, sorted. -#}
{% macro join_distinct(column, separator) %}
    {{ return(adapter.dispatch('join_distinct', 'userpilot_warehouse')(column, separator)) }}
{% endmacro %}

{% macro duckdb__join_distinct(column, separator) -%}
    {#- An aggregate with an order takes four times as long. -#}
    array_to_string(
        list_sort(list(distinct {{ column }}) filter (where {{ column }} is not null)),
        '{{ separator }}'
    )
{%- endmacro %}
