{% macro split_nth(text, separator, n) %}
    {{ return(adapter.dispatch('split_nth', 'userpilot_warehouse')(text, separator, n)) }}
{% endmacro %}

{% macro duckdb__split_nth(text, separator, n) -%}
    split_part({{ text }}, '{{ separator }}', {{ n }})
{%- endmacro %}
