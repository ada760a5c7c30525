-- one row per path at the source
with

files as (

    select * from {{ ref('stg_userpilot__files') }}

),

final as (

    select
        {{ surrogate_key(['path']) }} as file_key,
        path,
        kind,
        sync_id,
        app_token,
        folder_date,
        size_bytes,
        status,
        physical_lines,
        blank_lines,
        rejected_lines,
        event_lines,
        new_events,
        duplicate_lines,
        loaded_at,
        error
    from files

)

select * from final
