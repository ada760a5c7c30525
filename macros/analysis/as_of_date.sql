{#- The date that stands for now, a scalar subquery. -#}
{% macro as_of_date() -%}
    (select as_of.as_of_date from {{ ref('int_as_of_date') }} as as_of)
{%- endmacro %}
