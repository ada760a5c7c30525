{#-
    A select with one row per identify event that changed a trait: the event's key and time, and the
    traits from then on. What counts follows the var `trait_merge`.
-#}
{% macro trait_history(relation, id) %}
    {{ return(adapter.dispatch('trait_history', 'userpilot_warehouse')(relation, id)) }}
{% endmacro %}

{% macro duckdb__trait_history(relation, id) -%}
    {%- set whole_rows = var('trait_merge') == 'latest_row' -%}
    {%- set never = 9223372036854775807 -%}
    {%- set next_change -%}
        lead(event_number, 1, {{ never }}) over (
                partition by id_number, trait
                order by event_number
            )
    {%- endset -%}
    {%- set end_number = 'event_number + 1' if whole_rows else next_change -%}
    with

    identifies as (

        select
            *,
            row_number() over (
                order by app_token, {{ id }}, {{ event_order() | join(', ') }}
            ) as event_number
        from {{ relation }}
        where {{ id }} is not null and metadata is not null

    ),

    followed as (

        select
            *,
            lag(metadata) over (
                partition by app_token, {{ id }}
                order by event_number
            ) as previous_metadata
        from identifies

    ),

    -- To say the same again changes nothing, and many clients do so at every page. From here on
    -- numbers stand for whom and when: they sort faster than texts.
    numbered as (

        select
            event_number,
            metadata,
            min(event_number) over (partition by app_token, {{ id }}) as id_number
        from followed
        where metadata is distinct from previous_metadata

    ),

    pairs as (

        select
            numbered.id_number,
            numbered.event_number,
            pair.key as trait,
            min_by(pair.value, pair.id) as value
        from numbered
        cross join json_each(numbered.metadata) as pair
        group by numbered.id_number, numbered.event_number, pair.key

    ),

    compared as (

        select
            *,
            lag(value, 1, 'null') over (
                partition by id_number, trait
                order by event_number
            ) as previous_value
        from pairs

    ),

    -- A value holds until the trait changes again; of whole rows, until the next one.
    periods as (

        select
            *,
            {{ end_number }} as end_number
        from compared
        {{ 'where previous_value <> value' if not whole_rows }}

    ),

    changes as (

        select distinct
            id_number,
            event_number
        from {{ 'numbered' if whole_rows else 'periods' }}

    ),

    -- To sort each list is faster than an aggregate with an order.
    merged as (

        select
            changes.id_number,
            changes.event_number,
            coalesce(
                to_json(map_from_entries(list_sort(
                    list({'trait': periods.trait, 'value': periods.value})
                        filter (where periods.trait is not null)
                ))),
                '{}'
            ) as traits
        from changes
        left join periods
            on
                changes.id_number = periods.id_number
                and changes.event_number >= periods.event_number
                and changes.event_number < periods.end_number
                and periods.value <> 'null'
        group by changes.id_number, changes.event_number

    ),

    distinguished as (

        select
            *,
            lag(traits, 1, '{}') over (
                partition by id_number
                order by event_number
            ) as previous_traits
        from merged

    )

    select
        identifies.event_key,
        identifies.app_token,
        identifies.{{ id }},
        identifies.occurred_at as valid_from,
        lead(identifies.occurred_at) over (
            partition by distinguished.id_number
            order by distinguished.event_number
        ) as valid_to,
        distinguished.traits
    from distinguished
    inner join identifies on distinguished.event_number = identifies.event_number
    where distinguished.traits <> distinguished.previous_traits
{%- endmacro %}
