{#-
    What stands before the bracket of a CTE that several others read, where the engine would
    otherwise put all of its columns aside first.
-#}
{% macro inlined() %}
    {{ return(adapter.dispatch('inlined', 'userpilot_warehouse')()) }}
{% endmacro %}

{% macro duckdb__inlined() -%}
    not materialized
{%- endmacro %}
