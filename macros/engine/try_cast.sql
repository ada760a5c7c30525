{#- A cast that gives NULL where the text does not fit the type. -#}
{% macro try_cast(text, type) %}
    {{ return(adapter.dispatch('try_cast', 'userpilot_warehouse')(text, type)) }}
{% endmacro %}

{% macro duckdb__try_cast(text, type) -%}
    try_cast({{ text }} as {{ type }})
{%- endmacro %}
