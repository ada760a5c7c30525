{% macro surrogate_key(columns) -%}
    {%- for column in columns -%}
        coalesce(replace(replace({{ column }}, '~', '~0'), ':', '~1'), '~')
        {%- if not loop.last %} || ':' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}
