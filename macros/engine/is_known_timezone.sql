{% macro is_known_timezone(zone) %}
    {{ return(adapter.dispatch('is_known_timezone', 'userpilot_warehouse')(zone)) }}
{% endmacro %}

{% macro duckdb__is_known_timezone(zone) %}
    {% set query %}
        select count(*) from pg_timezone_names() where name = '{{ zone | replace("'", "''") }}'
    {% endset %}
    {{ return(run_query(query).columns[0].values()[0] > 0) }}
{% endmacro %}
