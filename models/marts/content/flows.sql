-- one row per (app_token, flow_id) with any event of the flow or of a step of it
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'experience' and whole_id is not null

),

flow_users as (

    select * from {{ ref('flow_users') }}

),

own_events as (

    select
        app_token,
        whole_id,
        user_id,
        max(case when interaction_status = 'SEEN' then 1 else 0 end) as is_seen,
        max(case when interaction_status = 'COMPLETED' then 1 else 0 end) as is_completed
    from events
    where part_id is null and user_id is not null
    group by app_token, whole_id, user_id

),

rates as (

    select
        app_token,
        whole_id,
        {{ safe_divide('sum(is_seen * is_completed)', 'sum(is_seen)') }} as completion_rate
    from own_events
    group by app_token, whole_id

),

durations as (

    select
        app_token,
        flow_id,
        {{ quantile('seconds_to_complete', 0.5) }} as median_seconds_to_complete
    from flow_users
    group by app_token, flow_id

),

counted as (

    select
        app_token,
        whole_id as flow_id,
        count(distinct user_id) as shown_users,
        {{ users_with_status('SEEN', 'part_id is null') }} as seen_users,
        {{ users_with_status('COMPLETED', 'part_id is null') }} as completed_users,
        {{ users_with_status('DISMISSED', 'part_id is null') }} as dismissed_users
    from events
    group by app_token, whole_id

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'experience'

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'counted.flow_id']) }} as flow_key,
        counted.app_token,
        counted.flow_id,
        names.name as flow_name,
        counted.shown_users,
        counted.seen_users,
        counted.completed_users,
        counted.dismissed_users,
        rates.completion_rate,
        durations.median_seconds_to_complete
    from counted
    left join names
        on counted.app_token = names.app_token and counted.flow_id = names.entity_id
    left join rates
        on counted.app_token = rates.app_token and counted.flow_id = rates.whole_id
    left join durations
        on counted.app_token = durations.app_token and counted.flow_id = durations.flow_id

)

select * from final
