{#-
    A select with one row per identify event that changed a trait: the event's key and time, and the
    traits from then on. What counts follows the var `trait_merge`.
-#}
{% macro trait_history(relation, id) %}
    {{ return(adapter.dispatch('trait_history', 'userpilot_warehouse')(relation, id)) }}
{% endmacro %}

{% macro duckdb__trait_history(relation, id) -%}
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
            min(event_number) over (partition by app_token, {{ id }}) as id_number,
            max(event_number) over (partition by app_token, {{ id }}) as last_number,
            json_keys(metadata) as told_keys,
            json_extract(metadata, '$.*') as told_values
        from followed
        where metadata is distinct from previous_metadata

    ),

    -- Of a key that is there twice the first counts.
    told as (

        select
            id_number,
            event_number,
            last_number,
            list_transform(
                list_distinct(told_keys),
                lambda one: {
                    'trait': one, 'value': list_extract(told_values, list_position(told_keys, one))
                }
            ) as traits
        from numbered

    ),

    merged as (

        {{ duckdb__merged_traits() if var('trait_merge') == 'latest_value' else duckdb__own_traits() }}

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

{#- Of each event the traits that it tells itself. -#}
{% macro duckdb__own_traits() -%}
    select
        id_number,
        event_number,
        {{ duckdb__traits_json(
            "list_sort(list_filter(traits, lambda one: struct_extract(one, 'value') <> 'null'))"
        ) }} as traits
    from told
{%- endmacro %}

{#-
    Of each event that changed a trait all that hold then. A list of what was when serves a user's next
    events together: a list of all that holds after each event would take more memory than there is,
    and one for all events of a user who has very many would be searched again for each.
-#}
{% macro duckdb__merged_traits() -%}
    {%- set events_in_block = 64 -%}
    with

    exploded as (

        select
            id_number,
            event_number,
            last_number,
            unnest(traits) as told_trait
        from told

    ),

    pairs as (

        select
            id_number,
            event_number,
            last_number,
            struct_extract(told_trait, 'trait') as trait,
            struct_extract(told_trait, 'value') as value
        from exploded

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

    -- A value holds until the trait changes again.
    periods as (

        select
            *,
            event_number // {{ events_in_block }} as block,
            lead(event_number, 1, last_number + 1) over (
                partition by id_number, trait
                order by event_number
            ) as end_number
        from compared
        where previous_value <> value

    ),

    -- A removed trait is in the block in which that changes something.
    block_periods as (

        select
            * exclude (block),
            unnest(generate_series(
                block,
                case when value = 'null' then block else (end_number - 1) // {{ events_in_block }} end
            )) as block
        from periods

    ),

    -- In the order of the names, which come first.
    lives as (

        select
            id_number,
            block,
            list_sort(list({
                'trait': trait,
                'value': value,
                'start_number': event_number,
                'end_number': end_number
            })) as periods
        from block_periods
        group by id_number, block

    ),

    -- To join the changes would copy the lists to each of them.
    lived_changes as (

        select
            id_number,
            periods,
            unnest(list_distinct(list_filter(
                list_transform(periods, lambda one: struct_extract(one, 'start_number')),
                lambda one: one // {{ events_in_block }} = block
            ))) as event_number
        from lives

    )

    select
        id_number,
        event_number,
        {{ duckdb__traits_json(
            "list_filter(periods, lambda one: struct_extract(one, 'value') <> 'null'"
            ~ " and struct_extract(one, 'start_number') <= event_number"
            ~ " and struct_extract(one, 'end_number') > event_number)"
        ) }} as traits
    from lived_changes
{%- endmacro %}

{#- A list of traits in the order of their names, as a JSON object. -#}
{% macro duckdb__traits_json(traits) -%}
    coalesce(
        to_json(map_from_entries(list_transform(
            {{ traits }},
            lambda one: {
                'trait': struct_extract(one, 'trait'), 'value': struct_extract(one, 'value')
            }
        ))),
        '{}'
    )
{%- endmacro %}
