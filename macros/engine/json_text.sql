{#- The value of one key as text; objects and arrays as their JSON text. -#}
{% macro json_text(json, key) %}
    {{ return(adapter.dispatch('json_text', 'userpilot_warehouse')(json, key)) }}
{% endmacro %}

{% macro duckdb__json_text(json, key) -%}
    json_extract_string({{ json }}, '$.{{ key }}')
{%- endmacro %}
