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
                partition by app_token, {{ id }}, trait
                order by event_number
            )
    {%- endset -%}
    {%- set end_number = 'event_number + 1' if whole_rows else next_change -%}
    with

    identifies as (

        select
            *,
            row_number() over (
                partition by app_token, {{ id }}
                order by {{ event_order() | join(', ') }}
            ) as event_number
        from {{ relation }}
        where {{ id }} is not null and metadata is not null

    ),

    pairs as (

        select
            identifies.app_token,
            identifies.{{ id }},
            identifies.event_number,
            pair.key as trait,
            min_by(pair.value, pair.id) as value
        from identifies
        cross join json_each(identifies.metadata) as pair
        group by identifies.app_token, identifies.{{ id }}, identifies.event_number, pair.key

    ),

    compared as (

        select
            *,
            lag(value, 1, 'null') over trait_in_time as previous_value,
            lag(event_number) over trait_in_time as previous_number
        from pairs
        window trait_in_time as (
            partition by app_token, {{ id }}, trait
            order by event_number
        )

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
            app_token,
            {{ id }},
            event_number
        from {{ 'identifies' if whole_rows else 'periods' }}

    ),

    merged as (

        select
            changes.app_token,
            changes.{{ id }},
            changes.event_number,
            coalesce(
                to_json(map(
                    list(periods.trait order by periods.trait)
                        filter (where periods.trait is not null),
                    list(periods.value order by periods.trait)
                        filter (where periods.trait is not null)
                )),
                '{}'
            ) as traits
        from changes
        left join periods
            on
                changes.app_token = periods.app_token
                and changes.{{ id }} = periods.{{ id }}
                and changes.event_number >= periods.event_number
                and changes.event_number < periods.end_number
                and periods.value <> 'null'
        group by changes.app_token, changes.{{ id }}, changes.event_number

    ),

    distinguished as (

        select
            *,
            lag(traits, 1, '{}') over (
                partition by app_token, {{ id }}
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
            partition by identifies.app_token, identifies.{{ id }}
            order by identifies.event_number
        ) as valid_to,
        distinguished.traits
    from distinguished
    inner join identifies
        on
            distinguished.app_token = identifies.app_token
            and distinguished.{{ id }} = identifies.{{ id }}
            and distinguished.event_number = identifies.event_number
    where distinguished.traits <> distinguished.previous_traits
{%- endmacro %}
