{% macro two_proportion_z(successes, n, reference_successes, reference_n) -%}
    {%- set successes_of_both = successes ~ ' + ' ~ reference_successes -%}
    {%- set n_of_both = n ~ ' + ' ~ reference_n -%}
    {%- set pooled_rate = safe_divide(successes_of_both, n_of_both) -%}
    case
        when {{ successes_of_both }} > 0 and {{ successes_of_both }} < {{ n_of_both }}
            then
                (
                    {{ safe_divide(successes, n) }}
                    - {{ safe_divide(reference_successes, reference_n) }}
                ) / sqrt(
                    {{ pooled_rate }}
                    * (1 - {{ pooled_rate }})
                    * ({{ safe_divide(1, n) }} + {{ safe_divide(1, reference_n) }})
                )
    end
{%- endmacro %}
