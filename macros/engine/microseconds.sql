{#- A timestamp as a whole number, to put in order beside others. -#}
{% macro microseconds(timestamp) %}
    {{ return(adapter.dispatch('microseconds', 'userpilot_warehouse')(timestamp)) }}
{% endmacro %}

{% macro duckdb__microseconds(timestamp) -%}
    epoch_us({{ timestamp }})
{%- endmacro %}
