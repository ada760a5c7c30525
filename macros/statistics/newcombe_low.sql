{% macro newcombe_low(successes, n, reference_successes, reference_n) -%}
    {%- set rate = safe_divide(successes, n) -%}
    {%- set reference_rate = safe_divide(reference_successes, reference_n) -%}
    (
        {{ rate }} - {{ reference_rate }}
        - sqrt(
            power(
                {{ rate }}
                - {{ wilson_low(successes, n) | indent(12) }},
                2
            )
            + power(
                {{ reference_rate }}
                - {{ wilson_high(reference_successes, reference_n) | indent(12) }},
                2
            )
        )
    )
{%- endmacro %}
