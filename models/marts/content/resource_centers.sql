-- one row per (app_token, resource_center_id) with any event of its own or of an article
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'resource_center' and whole_id is not null

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'resource_center'

),

counted as (

    select
        app_token,
        whole_id as resource_center_id,
        {{ users_with_status('SEEN', 'part_id is null') }} as seen_users,
        {{ users_with_status('ENGAGED', 'part_id is null') }} as engaged_users,
        count(case when interaction_status = 'ENGAGED' and part_id is null then 1 end)
            as engaged_event_count
    from events
    group by app_token, whole_id

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'counted.resource_center_id']) }}
            as resource_center_key,
        counted.app_token,
        counted.resource_center_id,
        names.name as resource_center_name,
        counted.seen_users,
        counted.engaged_users,
        counted.engaged_event_count
    from counted
    left join names
        on
            counted.app_token = names.app_token
            and counted.resource_center_id = names.entity_id

)

select * from final
