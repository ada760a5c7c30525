{#- The number of p values at or above this one is Holm's multiplier; NULLs are not counted. -#}
{% macro holm_step(p_value, partition_by) -%}
    cast({{ p_value }} as double)
    * count({{ p_value }}) over (partition by {{ partition_by }} order by {{ p_value }} desc)
{%- endmacro %}
