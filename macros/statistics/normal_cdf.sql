{#- 1 - tail above zero, the tail below it, in an expression that loses no digit of a small one. -#}
{% macro normal_cdf(x) -%}
    abs(
        case when {{ x }} > 0 then 1 else 0 end
        - {{ normal_tail('abs(' ~ x ~ ')') | indent(4) }}
    )
{%- endmacro %}
