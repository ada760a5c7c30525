-- one row per event whose copies differ in content
{{ config(meta={'follows': 'loads'}) }}
with

contents as (

    select * from {{ ref('stg_userpilot__event_contents') }}

),

conflicts as (

    select event_key
    from contents
    where is_superseded
    group by event_key

),

removed_users as (

    select * from {{ ref('int_removed_users') }}

),

-- Not of events that the configuration erases or excludes.
counted_conflicts as (

    select events.event_key
    from contents as events
    inner join conflicts on events.event_key = conflicts.event_key
    left join removed_users
        on events.app_token = removed_users.app_token and events.user_id = removed_users.user_id
    where not events.is_superseded and {{ removal('reason') }} is null

),

final as (

    select
        contents.event_key,
        min(contents.app_token) as app_token,
        min(contents.internal_event_id) as internal_event_id,
        cast(sum(contents.copy_count) as bigint) as copy_count,
        count(*) as content_count,
        max(case when not contents.is_superseded then contents.path end) as kept_path,
        max(case when not contents.is_superseded then contents.line_number end) as kept_line_number
    from contents
    inner join counted_conflicts on contents.event_key = counted_conflicts.event_key
    group by contents.event_key

)

select * from final
