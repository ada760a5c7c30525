-- one row per distinct content of an event that may have several, with its best copy
with

source as {{ inlined() }} (

    select * from {{ source('raw', 'events') }}

),

superseded as (

    select
        app_token,
        internal_event_id
    from source
    where is_superseded

),

files as (

    select * from {{ source('raw', 'files') }}

),

copies as (

    select
        event_no,
        count(*) as further_copies
    from {{ source('raw', 'event_copies') }}
    group by event_no

),

keyed as (

    select
        {{ event_key('inserted_at') | indent(8) }} as event_key,
        app_token,
        internal_event_id,
        user_id,
        hostname,
        user_agent,
        is_superseded,
        event_no,
        file_id,
        line_number
    from source
    -- Cheap to tell, and few are left of whom the key has to be spelled out.
    where
        (app_token, coalesce(internal_event_id, '')) in (
            select
                superseded.app_token,
                coalesce(superseded.internal_event_id, '') as internal_event_id
            from superseded
        )

),

final as (

    select
        keyed.event_key,
        keyed.app_token,
        keyed.internal_event_id,
        keyed.user_id,
        keyed.hostname,
        keyed.user_agent,
        files.path,
        keyed.line_number,
        1 + coalesce(copies.further_copies, 0) as copy_count,
        keyed.is_superseded
    from keyed
    inner join files on keyed.file_id = files.file_id
    left join copies on keyed.event_no = copies.event_no

)

select * from final
