{#- Rounding takes the sum to the next number above 1 where the statistic is as good as 0. -#}
{% macro chi_square_sf(statistic, degrees_of_freedom) -%}
    {%- set sum = chi_square_sum(statistic, degrees_of_freedom) | indent(8) -%}
    case
        when {{ sum }} > 1 then 1
        else {{ sum }}
    end
{%- endmacro %}

{#-
    By the recurrence over every other number of degrees of freedom: it starts with a normal |z| at
    the root of the statistic for the odd ones, with exp(-statistic / 2) for the even ones.
-#}
{% macro chi_square_sum(statistic, degrees_of_freedom) -%}
    {%- set half = '(cast(' ~ statistic ~ ' as double) / 2)' -%}
    {%- set degrees = '(' ~ degrees_of_freedom ~ ')' -%}
    (
        case
            when {{ degrees }} in (2, 4, 6, 8) then exp(-{{ half }})
            when {{ degrees }} in (1, 3, 5, 7, 9)
                then 2 * {{ normal_tail('sqrt(' ~ statistic ~ ')') | indent(12) }}
        end
        + exp(-{{ half }}) * ({{ chi_square_terms(half, degrees) | indent(12) }})
    )
{%- endmacro %}

{#- The sum of half ^ (k / 2 - 1) / gamma(k / 2) over k = 3, 5 and so on, or 4, 6 and so on. -#}
{% macro chi_square_terms(half, degrees) -%}
    {%- set gammas = {
        3: 0.886226925452758, 4: 1, 5: 1.329340388179137, 6: 2, 7: 3.323350970447843, 8: 6,
        9: 11.63172839656745,
    } -%}
    {%- for k, gamma in gammas.items() -%}
        {{- '\n+ ' if not loop.first -}} case
            when {{ degrees }} in ({{ range(k, 10, 2) | join(', ') }})
                then power({{ half }}, {{ k / 2 - 1 }}) / {{ gamma }}
            else 0
        end
    {%- endfor -%}
{%- endmacro %}
