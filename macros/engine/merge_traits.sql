{#-
    A select with one row per (app_token, <id>) and its traits as one JSON object, made of the
    identify events in `relation`. What counts follows the var `trait_merge`.
-#}
{% macro merge_traits(relation, id) %}
    {{ return(adapter.dispatch('merge_traits', 'userpilot_warehouse')(relation, id)) }}
{% endmacro %}

{% macro duckdb__merge_traits(relation, id) -%}
    {%- set newest_first -%}
        {{ event_order() | join(' desc, ') }} desc
    {%- endset -%}
    select
        app_token,
        {{ id }},
        to_json(map(list(trait order by trait), list(value order by trait))) as traits
    from (
        select
            *,
            row_number() over (
                partition by app_token, {{ id }}, trait
                order by {{ newest_first }}, place asc
            ) as recency
        from (
            select
                identifies.*,
                pair.key as trait,
                pair.value,
                pair.id as place
            from (
                select
                    *,
                    row_number() over (
                        partition by app_token, {{ id }}
                        order by {{ newest_first }}
                    ) as identify_recency
                from {{ relation }}
                where {{ id }} is not null and metadata is not null
            ) as identifies
            cross join json_each(identifies.metadata) as pair
            {{ 'where identifies.identify_recency = 1' if var('trait_merge') == 'latest_row' }}
        ) as entries
    ) as ranked
    where recency = 1 and value <> 'null'
    group by app_token, {{ id }}
{%- endmacro %}
