{#- With one degree of freedom the root of the statistic is a normal |z|. -#}
{% macro chi_square_sf(statistic, degrees_of_freedom) -%}
    case {{ degrees_of_freedom }}
        when 1 then 2 * {{ normal_tail('sqrt(' ~ statistic ~ ')') | indent(4) }}
        when 2 then exp(-cast({{ statistic }} as double) / 2)
    end
{%- endmacro %}
