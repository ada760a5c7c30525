-- one row per (app_token, checklist_id, user_id) with any event of the checklist or of its tasks
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'checklist' and whole_id is not null

),

-- The tasks of a checklist are those declared and those seen.
tasks as (

    select
        app_token,
        whole_id,
        part_id
    from events
    where part_id is not null
    union distinct
    select
        app_token,
        parent_id,
        entity_id
    from {{ ref('content') }}
    where entity_type = 'checklist_task'

),

task_counts as (

    select
        app_token,
        whole_id,
        count(*) as task_count
    from tasks
    group by app_token, whole_id

),

counted as (

    select
        app_token,
        whole_id as checklist_id,
        user_id,
        {{ first_with_status('SEEN', 'part_id is null') }} as seen_at,
        {{ first_with_status('ENGAGED', 'part_id is null') }} as engaged_at,
        {{ first_with_status('COMPLETED', 'part_id is null') }} as completed_at,
        {{ first_with_status('DISMISSED', 'part_id is null') }} as dismissed_at,
        count(distinct case when interaction_status = 'COMPLETED' then part_id end)
            as tasks_completed
    from events
    where user_id is not null
    group by app_token, whole_id, user_id

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'counted.checklist_id', 'counted.user_id']) }}
            as checklist_user_key,
        counted.app_token,
        counted.checklist_id,
        {{ surrogate_key(['counted.app_token', 'counted.checklist_id']) }} as checklist_key,
        counted.user_id,
        {{ surrogate_key(['counted.app_token', 'counted.user_id']) }} as user_key,
        counted.seen_at,
        counted.engaged_at,
        counted.completed_at,
        counted.dismissed_at,
        counted.tasks_completed,
        coalesce(counted.tasks_completed = task_counts.task_count, false)
            as has_completed_all_tasks
    from counted
    left join task_counts
        on
            counted.app_token = task_counts.app_token
            and counted.checklist_id = task_counts.whole_id

)

select * from final
