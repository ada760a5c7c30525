-- one row per (app_token, flow_id, step_id) with an event
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'experience' and part_id is not null

),

parts as (

    select * from {{ ref('int_content_parts') }}
    where whole_type = 'experience'

),

counted as (

    select
        app_token,
        whole_id,
        part_id,
        {{ users_with_status('SEEN') }} as seen_users,
        {{ users_with_status('COMPLETED') }} as completed_users
    from events
    group by app_token, whole_id, part_id

),

final as (

    select
        {{ surrogate_key(['parts.app_token', 'parts.whole_id', 'parts.part_id']) }}
            as flow_step_key,
        parts.app_token,
        parts.whole_id as flow_id,
        {{ entity_key('whole_id', 'parts') | indent(8) }} as flow_key,
        parts.part_id as step_id,
        parts.name as step_name,
        parts.part_number as step_number,
        counted.seen_users,
        counted.completed_users,
        case
            when parts.whole_id is not null
                then
                    lag(counted.seen_users) over (
                        partition by parts.app_token, parts.whole_id
                        order by parts.part_number, parts.natural_number
                    ) - counted.seen_users
        end as dropped_users
    from parts
    inner join counted
        on
            parts.app_token = counted.app_token
            and parts.whole_id is not distinct from counted.whole_id
            and parts.part_id = counted.part_id

)

select * from final
