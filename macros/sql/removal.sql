{#-
    The rule, if any, by which an event is removed, in the order in which they are tried: a case
    expression that gives the reason (`what='reason'`) or the pattern that fits (`what='rule'`).
    The event's user may be joined as `removed_users`.
-#}
{% macro removal(what) -%}
    {%- set patterns = [
        ('excluded_hostname', 'hostname', var('excluded_hostnames')),
        ('excluded_user_agent', 'user_agent', var('excluded_user_agents')),
    ] -%}
    case
        when removed_users.reason is not null then removed_users.{{ what }}
        {%- for reason, column, rules in patterns %}
        {%- for rule in rules %}
        when {{ matches_wildcard('lower(events.' ~ column ~ ')', quoted_list([rule | lower])) }}
            then {{ quoted_list([reason if what == 'reason' else rule]) }}
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}
