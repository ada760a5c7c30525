{#- The parts of a key in one text: no two keys share it, and NULL is a part like any other. -#}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append('coalesce(' ~ key_part(column) ~ ", '~')") -%}
    {%- endfor -%}
    concat({{ parts | join(", ':', ") }})
{%- endmacro %}

{#- Without what separates parts. Few texts hold that, and to look is cheaper than to replace. -#}
{% macro key_part(column) -%}
    case
        when {{ column }} like '%~%' or {{ column }} like '%:%'
            then replace(replace({{ column }}, '~', '~0'), ':', '~1')
        else {{ column }}
    end
{%- endmacro %}
