{#- A select that adds entity_type, entity_id and interaction_status to interaction events. -#}
{% macro parse_event_name(relation) -%}
    select
        *,
        case when is_parsed then first_part end as entity_type,
        case when is_parsed then middle_part end as entity_id,
        case when is_parsed then last_part end as interaction_status
    from (
        select
            *,
            first_part <> '' and middle_part <> '' and last_part <> '' as is_parsed
        from (
            select
                *,
                {{ split_nth('event_name', ':', 1) }} as first_part,
                {{ split_nth('event_name', ':', -1) }} as last_part,
                substring(
                    event_name,
                    length({{ split_nth('event_name', ':', 1) }}) + 2,
                    greatest(
                        length(event_name)
                        - length({{ split_nth('event_name', ':', 1) }})
                        - length({{ split_nth('event_name', ':', -1) }})
                        - 2,
                        0
                    )
                ) as middle_part
            from {{ relation }}
        ) as parts
    ) as flagged
{%- endmacro %}
