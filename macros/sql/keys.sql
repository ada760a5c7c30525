{#- Single-column keys of what a row may belong to; NULL where it belongs to none. -#}
{% macro entity_key(id, relation=none) -%}
    {%- set prefix = relation ~ '.' if relation else '' -%}
    case
        when {{ prefix ~ id }} is not null
            then {{ surrogate_key([prefix ~ 'app_token', prefix ~ id]) }}
    end
{%- endmacro %}

{% macro user_key(relation=none) -%}
    {{ entity_key('user_id', relation) }}
{%- endmacro %}

{% macro company_key(relation=none) -%}
    {{ entity_key('company_id', relation) }}
{%- endmacro %}

{% macro session_key() -%}
    case
        when user_id is not null and session is not null
            then {{ surrogate_key(['app_token', 'user_id', 'session']) }}
    end
{%- endmacro %}
