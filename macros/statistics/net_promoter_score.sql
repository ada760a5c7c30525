{% macro net_promoter_score(promoters, detractors, responses) -%}
    100 * (cast({{ promoters }} as double) - cast({{ detractors }} as double))
    / nullif({{ responses }}, 0)
{%- endmacro %}
