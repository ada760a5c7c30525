{#- Number of users with an event of a status, of the whole itself unless `of` says otherwise. -#}
{% macro users_with_status(status, of='true') -%}
    count(distinct case when interaction_status = '{{ status }}' and {{ of }} then user_id end)
{%- endmacro %}

{#- Time of the first event of a status, of the whole itself unless `of` says otherwise. -#}
{% macro first_with_status(status, of='true') -%}
    min(case when interaction_status = '{{ status }}' and {{ of }} then occurred_at end)
{%- endmacro %}
