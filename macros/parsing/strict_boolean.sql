{% macro strict_boolean(text) -%}
    case when {{ text }} in ('1', 'true') then true when {{ text }} in ('0', 'false') then false end
{%- endmacro %}
