{#- The values of a group as one text, sorted; what is there twice is in it twice. -#}
{% macro join_sorted(column, separator) %}
    {{ return(adapter.dispatch('join_sorted', 'userpilot_warehouse')(column, separator)) }}
{% endmacro %}

{% macro duckdb__join_sorted(column, separator) -%}
    {#- An aggregate with an order takes four times as long. -#}
    array_to_string(
        list_sort(list({{ column }}) filter (where {{ column }} is not null)), '{{ separator }}'
    )
{%- endmacro %}
