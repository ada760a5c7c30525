-- one row per (event_type, is_unknown_field, metadata_key)
with

days as (

    select * from {{ ref('int_metadata_days') }}

),

totals as (

    select
        event_type,
        count(*) as event_count
    from {{ ref('events') }}
    group by event_type

),

counted as (

    select
        event_type,
        is_unknown_field,
        metadata_key,
        cast(sum(event_count) as bigint) as event_count,
        {{ join_distinct('json_type', '+') }} as json_types,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from days
    group by event_type, is_unknown_field, metadata_key

),

final as (

    select
        {{ surrogate_key([
            'counted.event_type',
            'cast(counted.is_unknown_field as varchar)',
            'counted.metadata_key',
        ]) }} as trait_drift_key,
        counted.event_type,
        counted.is_unknown_field,
        counted.metadata_key,
        counted.event_count,
        {{ safe_divide('counted.event_count', 'totals.event_count') }} as share_of_rows,
        counted.json_types,
        counted.first_seen_at,
        counted.last_seen_at
    from counted
    inner join totals on counted.event_type = totals.event_type

)

select * from final
