{#-
    Join condition: the row of a history (`valid_from`, `valid_to`) that held at a given time.
    Half-open, so that no instant has two; a row of no length never holds.
-#}
{% macro valid_at(history, relation, at, id='user_id', named=none) -%}
    {{ relation }}.app_token = {{ history }}.app_token
        and {{ relation }}.{{ named or id }} = {{ history }}.{{ id }}
        and {{ relation }}.{{ at }} >= {{ history }}.valid_from
        and {{ relation }}.{{ at }} < coalesce({{ history }}.valid_to, {{ end_of_time() }})
{%- endmacro %}
