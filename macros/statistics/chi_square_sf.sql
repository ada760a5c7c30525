{#-
    By the recurrence over every other number of degrees of freedom: it starts with a normal |z| at
    the root of the statistic for the odd ones, with exp(-statistic / 2) for the even ones.
-#}
{% macro chi_square_sf(statistic, degrees_of_freedom) -%}
    {%- set half = '(cast(' ~ statistic ~ ' as double) / 2)' -%}
    {%- set degrees = '(' ~ degrees_of_freedom ~ ')' -%}
    case
        when {{ degrees }} between 1 and 9
            then
                case
                    when {{ degrees }} % 2 = 0 then exp(-{{ half }})
                    else 2 * {{ normal_tail('sqrt(' ~ statistic ~ ')') | indent(20) }}
                end
                + exp(-{{ half }}) * case {{ degrees }}
                    {%- for most in range(3, 10) %}
                    when {{ most }} then {{ chi_square_terms(most, half) }}
                    {%- endfor %}
                    else 0
                end
    end
{%- endmacro %}

{#- The sum of half ^ (k / 2 - 1) / gamma(k / 2) for k = most, most - 2 and so on, down to 3 or 4. -#}
{% macro chi_square_terms(most, half) -%}
    {%- set gamma = namespace(value=1 if most % 2 == 0 else 1.772453850905516) -%}
    {%- for k in range(4 - most % 2, most + 1, 2) -%}
        {%- set gamma.value = gamma.value * (k / 2 - 1) -%}
        power({{ half }}, {{ k / 2 - 1 }}) / {{ gamma.value }}{{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
