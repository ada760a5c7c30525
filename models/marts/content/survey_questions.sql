-- one row per (app_token, survey_id, module_id) with an event
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'survey' and part_id is not null

),

parts as (

    select * from {{ ref('int_content_parts') }}
    where whole_type = 'survey'

),

counted as (

    select
        app_token,
        whole_id,
        part_id,
        {{ latest('survey_question') }} as latest_question,
        {{ latest('variant') }} as latest_variant,
        {{ users_with_status('SEEN') }} as seen_users,
        {{ users_with_status('COMPLETED') }} as completed_users,
        {{ users_with_status('DISMISSED') }} as dismissed_users,
        count(case when interaction_status = 'COMPLETED' then 1 end) as response_count
    from events
    group by app_token, whole_id, part_id

),

final as (

    select
        {{ surrogate_key(['parts.app_token', 'parts.whole_id', 'parts.part_id']) }}
            as survey_question_key,
        parts.app_token,
        parts.whole_id as survey_id,
        {{ entity_key('whole_id', 'parts') | indent(8) }} as survey_key,
        parts.part_id as module_id,
        coalesce(parts.name, counted.latest_question) as question,
        coalesce(parts.question_type, counted.latest_variant) as question_type,
        parts.part_number as question_number,
        counted.seen_users,
        counted.completed_users,
        counted.dismissed_users,
        counted.response_count,
        {{ safe_divide('counted.completed_users', 'counted.seen_users') }} as response_rate
    from parts
    inner join counted
        on
            parts.app_token = counted.app_token
            and parts.whole_id is not distinct from counted.whole_id
            and parts.part_id = counted.part_id

)

select * from final
