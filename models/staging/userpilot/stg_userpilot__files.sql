-- one row per file at the source: the version that counts
with

versions as (

    select
        *,
        count(case when status = 'loaded' then 1 end) over (partition by path) as loaded_versions,
        max(
            case when status = 'over_budget' then 'over the error budget' else error end
        ) over (partition by path) as latest_error
    from {{ source('raw', 'files') }}
    where status <> 'replaced'

),

-- A newer version that could not be loaded leaves the loaded one in force.
source as (

    select * from versions
    where status = 'loaded' or loaded_versions = 0

),

event_lines as (

    select
        file_id,
        count(*) as new_events
    from {{ source('raw', 'events') }}
    where not is_superseded
    group by file_id

),

final as (

    select
        ---------- ids
        source.file_id,
        source.sync_id,
        source.app_token,

        ---------- text
        source.path,
        source.kind,
        source.status,
        source.latest_error as error,

        ---------- numbers
        source.size_bytes,
        source.physical_lines,
        source.blank_lines,
        source.rejected_lines,
        source.event_lines,
        coalesce(event_lines.new_events, 0) as new_events,
        case
            when source.kind = 'events' and source.status = 'loaded'
                then source.event_lines - coalesce(event_lines.new_events, 0)
            else 0
        end as duplicate_lines,

        ---------- times
        source.folder_date,
        source.loaded_at

    from source
    left join event_lines on source.file_id = event_lines.file_id

)

select * from final
