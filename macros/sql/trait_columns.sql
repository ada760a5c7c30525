{#-
    One text column for each trait that a var names. Names come from the configuration, never from
    data, and are made safe: `Last login!` becomes `last_login_`.
-#}
{% macro trait_columns(names) -%}
    {%- for name in names %}
        nullif({{ json_text_of_any_key('traits', name) }}, '') as {{ trait_column_name(name) }},
    {%- endfor %}
{%- endmacro %}

{% macro trait_column_name(name) -%}
    {%- set safe = modules.re.sub('[^a-z0-9_]', '_', name | lower) -%}
    {{ safe if modules.re.match('[a-z_]', safe) else '_' ~ safe }}
{%- endmacro %}
