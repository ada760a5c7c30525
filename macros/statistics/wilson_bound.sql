{#- A root p of (successes - n p)^2 = z^2 n p (1 - p): the lower one for `-`, the upper for `+`. -#}
{% macro wilson_bound(successes, n, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set k = 'cast(' ~ successes ~ ' as double)' -%}
    (
        {{ k }} + power({{ z }}, 2) / 2
        {{ sign }} {{ z }} * sqrt(
            {{ k }} * (1 - {{ safe_divide(successes, n) }}) + power({{ z }}, 2) / 4
        )
    ) / (cast({{ n }} as double) + power({{ z }}, 2))
{%- endmacro %}
