{#- Whether a value fits a seed's cell: an empty cell takes anything, `%` stands for any text. -#}
{% macro matches_cell(value, cell) -%}
    ({{ cell }} is null or {{ cell }} = {{ value }} or {{ matches_wildcard(value, cell) }})
{%- endmacro %}
