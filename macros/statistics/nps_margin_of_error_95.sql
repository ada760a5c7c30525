{#- A response counts +1, 0 or -1: its variance is E[x^2] - E[x]^2 = p + d - (p - d)^2. -#}
{% macro nps_margin_of_error_95(promoters, detractors, responses) -%}
    {%- set z = 1.959964 -%}
    {%- set p = safe_divide(promoters, responses) -%}
    {%- set d = safe_divide(detractors, responses) -%}
    100 * {{ z }} * sqrt(
        (
            {{ p }} + {{ d }}
            - power({{ p }} - {{ d }}, 2)
        ) / nullif({{ responses }}, 0)
    )
{%- endmacro %}
