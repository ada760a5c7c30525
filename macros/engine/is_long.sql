{#- Whether a text is so long that many like it would fill the memory of what groups by them. -#}
{% macro is_long(text) %}
    {{ return(adapter.dispatch('is_long', 'userpilot_warehouse')(text)) }}
{% endmacro %}

{% macro duckdb__is_long(text) -%}
    {#- To count bytes takes a tenth of the time that characters take. -#}
    strlen({{ text }}) > 500
{%- endmacro %}
