{#- That an event may be a step of a path or its anchor: what a user did in a session. -#}
{% macro is_path_step() -%}
    user_id is not null
        and session is not null
        and is_activity
        and event_type not in ('identify_user', 'identify_company')
{%- endmacro %}
