{#-
    What stands before the bracket of a CTE that several others read, where they must see the very
    same rows: numbers given in no order would not come out alike twice.
-#}
{% macro computed_once() %}
    {{ return(adapter.dispatch('computed_once', 'userpilot_warehouse')()) }}
{% endmacro %}

{% macro duckdb__computed_once() -%}
    materialized
{%- endmacro %}
