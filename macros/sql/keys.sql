{#- Single-column keys of what an event may belong to; NULL where it belongs to none. -#}
{% macro user_key(relation) -%}
    {%- set prefix = relation ~ '.' if relation else '' -%}
    case
        when {{ prefix }}user_id is not null
            then {{ surrogate_key([prefix ~ 'app_token', prefix ~ 'user_id']) }}
    end
{%- endmacro %}

{% macro company_key(relation) -%}
    {%- set prefix = relation ~ '.' if relation else '' -%}
    case
        when {{ prefix }}company_id is not null
            then {{ surrogate_key([prefix ~ 'app_token', prefix ~ 'company_id']) }}
    end
{%- endmacro %}

{% macro session_key() -%}
    case
        when user_id is not null and session is not null
            then {{ surrogate_key(['app_token', 'user_id', 'session']) }}
    end
{%- endmacro %}
