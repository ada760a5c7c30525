-- one row per (occurred_date, event_type, metadata_key, json_type)
{{ config(materialized='maintained', meta={'cut': {'by': 'date', 'parents': ['events']}}) }}
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}

),

-- The same metadata comes again and again, and is read once a day; long ones would fill the memory.
contents as (

    select
        event_type,
        occurred_date,
        metadata,
        count(*) as event_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from events
    where not {{ is_long('metadata') }}
    group by event_type, occurred_date, metadata
    union all
    select
        event_type,
        occurred_date,
        metadata,
        1 as event_count,
        occurred_at as first_seen_at,
        occurred_at as last_seen_at
    from events
    where {{ is_long('metadata') }}

),

keys as (

    {{ json_keys('contents', 'metadata') | indent(4) }}

),

final as (

    select
        occurred_date,
        event_type,
        metadata_key,
        json_type,
        cast(sum(event_count) as bigint) as event_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from keys
    group by occurred_date, event_type, metadata_key, json_type

)

select * from final
