{#- The values of a group as one text, in a given order. -#}
{% macro join_in_order(value, separator, order) %}
    {{ return(adapter.dispatch('join_in_order', 'userpilot_warehouse')(value, separator, order)) }}
{% endmacro %}

{% macro duckdb__join_in_order(value, separator, order) -%}
    string_agg({{ value }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}
