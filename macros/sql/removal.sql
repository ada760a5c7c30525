{#-
    Why an event is removed, if it is: the reason (`what='reason'`) or the pattern that it fits
    (`what='rule'`), in the order in which they are tried. The event's user may be joined as
    `removed_users`.
-#}
{% macro removal(what) %}
    {% set of_user = 'removed_users.' ~ what %}
    {% set branches = ['when removed_users.reason is not null then ' ~ of_user] %}
    {% for reason, column, patterns in [
        ('excluded_hostname', 'hostname', var('excluded_hostnames')),
        ('excluded_user_agent', 'user_agent', var('excluded_user_agents')),
    ] %}
        {% for pattern in patterns %}
            {% set fits = matches_wildcard(
                'lower(events.' ~ column ~ ')', quoted_list([pattern | lower])
            ) %}
            {% set answer = quoted_list([reason if what == 'reason' else pattern]) %}
            {% do branches.append('when ' ~ fits ~ ' then ' ~ answer) %}
        {% endfor %}
    {% endfor %}
    {% set judged = 'case\n            ' ~ branches | join('\n            ') ~ '\n        end' %}
    {{ return(judged if branches[1:] else of_user) }}
{% endmacro %}
