{#- What makes two events of one kind, as `int_event_kinds` has them. -#}
{% macro kind_columns(relation=none) %}
    {% set prefix = relation ~ '.' if relation else '' %}
    {% set columns = [] %}
    {% for column in ['app_token', 'event_type', 'event_name', 'page'] %}
        {% do columns.append(prefix ~ column) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}
