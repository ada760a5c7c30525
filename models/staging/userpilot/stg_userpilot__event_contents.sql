-- one row per distinct content of an event, with its best copy
with

source as (

    select * from {{ source('raw', 'events') }}

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
        is_superseded,
        event_no,
        file_id,
        line_number
    from source

),

final as (

    select
        keyed.event_key,
        keyed.app_token,
        keyed.internal_event_id,
        files.path,
        keyed.line_number,
        1 + coalesce(copies.further_copies, 0) as copy_count,
        keyed.is_superseded
    from keyed
    inner join files on keyed.file_id = files.file_id
    left join copies on keyed.event_no = copies.event_no

)

select * from final
