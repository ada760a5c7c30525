{#- Casts round and trim; a number is only what is written as one. -#}
{% macro strict_integer(text) -%}
    case when {{ matches(text, '-?[0-9]+') }} then {{ try_cast(text, 'bigint') }} end
{%- endmacro %}
