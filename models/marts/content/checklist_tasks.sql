-- one row per (app_token, checklist_id, task_id) with an event
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'checklist' and part_id is not null

),

parts as (

    select * from {{ ref('int_content_parts') }}
    where whole_type = 'checklist'

),

counted as (

    select
        app_token,
        whole_id,
        part_id,
        {{ users_with_status('SEEN') }} as seen_users,
        {{ users_with_status('ENGAGED') }} as engaged_users,
        {{ users_with_status('COMPLETED') }} as completed_users,
        {{ users_with_status('DISMISSED') }} as dismissed_users
    from events
    group by app_token, whole_id, part_id

),

final as (

    select
        {{ surrogate_key(['parts.app_token', 'parts.whole_id', 'parts.part_id']) }}
            as checklist_task_key,
        parts.app_token,
        parts.whole_id as checklist_id,
        {{ entity_key('whole_id', 'parts') | indent(8) }} as checklist_key,
        parts.part_id as task_id,
        parts.name as task_name,
        parts.part_number as task_number,
        counted.seen_users,
        counted.engaged_users,
        counted.completed_users,
        counted.dismissed_users
    from parts
    inner join counted
        on
            parts.app_token = counted.app_token
            and parts.whole_id is not distinct from counted.whole_id
            and parts.part_id = counted.part_id

)

select * from final
