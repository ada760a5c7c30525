{#- Texts from the configuration as SQL literals with commas between; nothing for an empty list. -#}
{% macro quoted_list(texts) -%}
    {%- for text in texts -%}
        {{ dbt.string_literal(dbt.escape_single_quotes(text | string)) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
