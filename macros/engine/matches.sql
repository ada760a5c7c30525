{% macro matches(text, pattern) %}
    {{ return(adapter.dispatch('matches', 'userpilot_warehouse')(text, pattern)) }}
{% endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}
