-- one row per (app_token, anchor, direction, step, event) that somebody did in a session
with

steps as (

    select * from {{ ref('int_path_steps') }}

),

features as (

    select * from {{ ref('features') }}

),

anchor_users as (

    select
        app_token,
        anchor,
        count(distinct user_id) as anchor_user_count
    from steps
    where distance = 0
    group by app_token, anchor

),

named as (

    select
        steps.app_token,
        steps.anchor,
        steps.user_id,
        case when steps.distance > 0 then 'after' else 'before' end as direction,
        abs(steps.distance) as step,
        coalesce('Used ' || features.feature_name, steps.event) as event
    from steps
    left join features
        on steps.app_token = features.app_token and steps.feature_id = features.feature_id
    where steps.distance <> 0

),

counted as (

    select
        app_token,
        anchor,
        direction,
        step,
        event,
        count(distinct user_id) as user_count
    from named
    group by app_token, anchor, direction, step, event

),

final as (

    select
        {{ surrogate_key([
            'counted.app_token', 'counted.anchor', 'counted.direction',
            'cast(counted.step as varchar)', 'counted.event',
        ]) }} as path_key,
        counted.app_token,
        counted.anchor,
        counted.direction,
        counted.step,
        counted.event,
        counted.user_count,
        anchor_users.anchor_user_count,
        {{ safe_divide('counted.user_count', 'anchor_users.anchor_user_count') }}
            as share
    from counted
    inner join anchor_users
        on counted.app_token = anchor_users.app_token and counted.anchor = anchor_users.anchor

)

select * from final
