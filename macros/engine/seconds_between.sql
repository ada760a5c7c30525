{% macro seconds_between(start, stop) %}
    {{ return(adapter.dispatch('seconds_between', 'userpilot_warehouse')(start, stop)) }}
{% endmacro %}

{% macro duckdb__seconds_between(start, stop) -%}
    date_diff('microsecond', {{ start }}, {{ stop }}) / 1000000.0
{%- endmacro %}
