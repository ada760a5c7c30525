{#- As json_text, for a key that comes from a user's configuration and may hold any character. -#}
{% macro json_text_of_any_key(json, key) %}
    {{ return(adapter.dispatch('json_text_of_any_key', 'userpilot_warehouse')(json, key)) }}
{% endmacro %}

{% macro duckdb__json_text_of_any_key(json, key) -%}
    json_extract_string({{ json }}, '/{{ key | replace("~", "~0") | replace("/", "~1") | replace("'", "''") }}')
{%- endmacro %}
