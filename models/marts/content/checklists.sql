-- one row per (app_token, checklist_id) with any event of the checklist or of its tasks
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'checklist' and whole_id is not null

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'checklist'

),

task_completions as (

    select
        checklist_key,
        cast(sum(tasks_completed) as bigint) as tasks_completed,
        count(case when has_completed_all_tasks then 1 end) as all_tasks_completed_users
    from {{ ref('checklist_users') }}
    group by checklist_key

),

counted as (

    select
        app_token,
        whole_id as checklist_id,
        {{ surrogate_key(['app_token', 'whole_id']) }} as checklist_key,
        {{ users_with_status('SEEN', 'part_id is null') }} as seen_users,
        {{ users_with_status('ENGAGED', 'part_id is null') }} as engaged_users,
        {{ users_with_status('COMPLETED', 'part_id is null') }} as completed_users,
        {{ users_with_status('DISMISSED', 'part_id is null') }} as dismissed_users
    from events
    group by app_token, whole_id

),

final as (

    select
        counted.checklist_key,
        counted.app_token,
        counted.checklist_id,
        names.name as checklist_name,
        counted.seen_users,
        counted.engaged_users,
        counted.completed_users,
        counted.dismissed_users,
        coalesce(task_completions.tasks_completed, 0) as tasks_completed,
        coalesce(task_completions.all_tasks_completed_users, 0) as all_tasks_completed_users
    from counted
    left join names
        on counted.app_token = names.app_token and counted.checklist_id = names.entity_id
    left join task_completions on counted.checklist_key = task_completions.checklist_key

)

select * from final
