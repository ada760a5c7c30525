{#-
    Join condition: the stay in `user_companies` that held for a user at a given time.
    Half-open, so that no instant has two stays; a stay of no length never holds.
-#}
{% macro during_stay(relation, at) -%}
    {{ relation }}.app_token = user_companies.app_token
        and {{ relation }}.user_id = user_companies.user_id
        and {{ relation }}.{{ at }} >= user_companies.valid_from
        and (
            {{ relation }}.{{ at }} < user_companies.valid_to or user_companies.valid_to is null
        )
{%- endmacro %}
