-- one row per (occurred_date, event_type, metadata_key, json_type)
{{ config(materialized='maintained', meta={'cut': {'by': 'date', 'parents': ['events']}}) }}
with

events as (

    select
        event_type,
        occurred_at,
        occurred_date,
        metadata
    from {{ ref('events') }}

),

keys as (

    {{ json_keys('events', 'metadata') | indent(4) }}

),

final as (

    select
        occurred_date,
        event_type,
        metadata_key,
        json_type,
        count(*) as event_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from keys
    group by occurred_date, event_type, metadata_key, json_type

)

select * from final
