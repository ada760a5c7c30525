{#- A UTC timestamp as the exports write it: `2025-05-11T07:45:30.123456Z`. -#}
{% macro iso_timestamp(timestamp) %}
    {{ return(adapter.dispatch('iso_timestamp', 'userpilot_warehouse')(timestamp)) }}
{% endmacro %}

{% macro duckdb__iso_timestamp(timestamp) -%}
    strftime({{ timestamp }}, '%Y-%m-%dT%H:%M:%S.%fZ')
{%- endmacro %}
