{% macro is_filled_json_object(json) %}
    {{ return(adapter.dispatch('is_filled_json_object', 'userpilot_warehouse')(json)) }}
{% endmacro %}

{#- The loader stores JSON without blanks around it, so the first character tells an object. -#}
{% macro duckdb__is_filled_json_object(json) -%}
    starts_with({{ json }}, '{') and {{ json }} <> '{}'
{%- endmacro %}
