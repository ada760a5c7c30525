{#- A select of the relation's rows, once for each date from `start` to `stop`, both included. -#}
{% macro dates_between(relation, start, stop, name) %}
    {{ return(
        adapter.dispatch('dates_between', 'userpilot_warehouse')(relation, start, stop, name)
    ) }}
{% endmacro %}

{% macro duckdb__dates_between(relation, start, stop, name) -%}
    select
        *,
        cast(unnest(generate_series({{ start }}, {{ stop }}, interval '1 day')) as date)
            as {{ name }}
    from {{ relation }}
{%- endmacro %}
