{% macro has_trait_salt() %}
    {{ return(adapter.dispatch('has_trait_salt', 'userpilot_warehouse')()) }}
{% endmacro %}

{% macro duckdb__has_trait_salt() %}
    {% set query %}
        select coalesce(getvariable('trait_salt'), '') <> ''
    {% endset %}
    {{ return(run_query(query).columns[0].values()[0]) }}
{% endmacro %}
