-- one row per (app_token, survey_id) with an event of a module
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'survey' and part_id is not null and whole_id is not null

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'survey'

),

counted as (

    select
        app_token,
        whole_id as survey_id,
        {{ users_with_status('SEEN') }} as seen_users,
        {{ users_with_status('COMPLETED') }} as completed_users,
        {{ users_with_status('DISMISSED') }} as dismissed_users
    from events
    group by app_token, whole_id

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'counted.survey_id']) }} as survey_key,
        counted.app_token,
        counted.survey_id,
        names.name as survey_name,
        counted.seen_users,
        counted.completed_users,
        counted.dismissed_users,
        {{ safe_divide('counted.completed_users', 'counted.seen_users') }} as response_rate
    from counted
    left join names
        on counted.app_token = names.app_token and counted.survey_id = names.entity_id

)

select * from final
