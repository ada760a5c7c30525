-- one row per path at the source
{{ config(meta={'follows': 'loads'}) }}
with

files as (

    select * from {{ ref('stg_userpilot__files') }}

),

removed as (

    select
        file_id,
        count(*) as removed_events
    from {{ ref('int_events__judged') }}
    where removal_reason is not null
    group by file_id

),

final as (

    select
        {{ surrogate_key(['files.path']) }} as file_key,
        files.path,
        files.kind,
        files.sync_id,
        files.app_token,
        files.folder_date,
        files.size_bytes,
        files.status,
        files.physical_lines,
        files.blank_lines,
        files.rejected_lines,
        files.event_lines,
        files.new_events - coalesce(removed.removed_events, 0) as new_events,
        files.duplicate_lines,
        coalesce(removed.removed_events, 0) as removed_events,
        files.loaded_at,
        files.error
    from files
    left join removed on files.file_id = removed.file_id

)

select * from final
