{% macro date_in_zone(utc_timestamp) %}
    {{ return(adapter.dispatch('date_in_zone', 'userpilot_warehouse')(utc_timestamp)) }}
{% endmacro %}

{% macro duckdb__date_in_zone(utc_timestamp) %}
    {%- set zone = var('reporting_timezone') -%}
    {%- if zone == 'UTC' -%}
        cast({{ utc_timestamp }} as date)
    {%- else -%}
        cast(timezone('{{ zone }}', timezone('UTC', {{ utc_timestamp }})) as date)
    {%- endif -%}
{% endmacro %}
