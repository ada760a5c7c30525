{#- The value of the last (or first) row in an order; rows without a value are passed over. -#}
{% macro max_by(column, order) %}
    {{ return(adapter.dispatch('max_by', 'userpilot_warehouse')(column, order)) }}
{% endmacro %}

{% macro duckdb__max_by(column, order) -%}
    max_by({{ column }}, ({{ order | join(', ') }}))
{%- endmacro %}

{% macro min_by(column, order) %}
    {{ return(adapter.dispatch('min_by', 'userpilot_warehouse')(column, order)) }}
{% endmacro %}

{% macro duckdb__min_by(column, order) -%}
    min_by({{ column }}, ({{ order | join(', ') }}))
{%- endmacro %}

{#- Whether two rows with a value are of the last (first) moment: to order by it would not do. -#}
{% macro max_by_is_tied(column, moment) %}
    {{ return(adapter.dispatch('max_by_is_tied', 'userpilot_warehouse')(column, moment)) }}
{% endmacro %}

{% macro duckdb__max_by_is_tied(column, moment) -%}
    {%- set last_two = 'max(case when ' ~ column ~ ' is not null then ' ~ moment ~ ' end, 2)' -%}
    {{ last_two }}[1] = {{ last_two }}[2]
{%- endmacro %}

{% macro min_by_is_tied(column, moment) %}
    {{ return(adapter.dispatch('min_by_is_tied', 'userpilot_warehouse')(column, moment)) }}
{% endmacro %}

{% macro duckdb__min_by_is_tied(column, moment) -%}
    {%- set first_two = 'min(case when ' ~ column ~ ' is not null then ' ~ moment ~ ' end, 2)' -%}
    {{ first_two }}[1] = {{ first_two }}[2]
{%- endmacro %}
