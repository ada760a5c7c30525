{#- A select with one column `n`: the whole numbers from 0 to `longest`. -#}
{% macro numbers(longest) %}
    {{ return(adapter.dispatch('numbers', 'userpilot_warehouse')(longest)) }}
{% endmacro %}

{% macro duckdb__numbers(longest) -%}
    select cast(unnest(generate_series(0, {{ longest }})) as bigint) as n
{%- endmacro %}
