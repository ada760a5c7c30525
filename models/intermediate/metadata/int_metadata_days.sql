-- one row per (occurred_date, event_type, is_unknown_field, metadata_key, json_type)
{{ config(
    materialized='table',
    meta={'cut': {'by': 'date', 'parents': ['events', 'int_events__judged']}},
) }}
with

objects as {{ inlined() }} (

    select
        event_type,
        occurred_date,
        occurred_at,
        false as is_unknown_field,
        metadata as members
    from {{ ref('events') }}
    union all
    select
        event_type,
        occurred_date,
        occurred_at,
        true as is_unknown_field,
        unknown_fields as members
    from {{ ref('int_events__judged') }}
    where removal_reason is null and unknown_fields is not null

),

-- The same members come again and again, and are read once a day; long ones would fill the memory.
contents as (

    select
        event_type,
        occurred_date,
        is_unknown_field,
        members,
        count(*) as event_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from objects
    where not {{ is_long('members') }}
    group by event_type, occurred_date, is_unknown_field, members
    union all
    select
        event_type,
        occurred_date,
        is_unknown_field,
        members,
        1 as event_count,
        occurred_at as first_seen_at,
        occurred_at as last_seen_at
    from objects
    where {{ is_long('members') }}

),

keys as (

    {{ json_keys('contents', 'members') | indent(4) }}

),

final as (

    select
        occurred_date,
        event_type,
        is_unknown_field,
        metadata_key,
        json_type,
        cast(sum(event_count) as bigint) as event_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from keys
    group by occurred_date, event_type, is_unknown_field, metadata_key, json_type

)

select * from final
