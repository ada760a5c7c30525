{% macro start_of_date_in_utc(local_date) %}
    {{ return(adapter.dispatch('start_of_date_in_utc', 'userpilot_warehouse')(local_date)) }}
{% endmacro %}

{% macro duckdb__start_of_date_in_utc(local_date) -%}
    timezone('UTC', timezone('{{ var("reporting_timezone") }}', cast({{ local_date }} as timestamp)))
{%- endmacro %}
