{#- A whole number that stands for a text, the same wherever it is computed. -#}
{% macro digest_number(text) %}
    {{ return(adapter.dispatch('digest_number', 'userpilot_warehouse')(text)) }}
{% endmacro %}

{% macro duckdb__digest_number(text) -%}
    md5_number_lower({{ text }})
{%- endmacro %}
