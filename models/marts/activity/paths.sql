-- one row per (app_token, anchor, direction, step, event) that somebody did in a session
with

steps as {{ inlined() }} (

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

kinds as (

    select
        app_token,
        anchor,
        distance,
        event,
        is_feature
    from steps
    where distance <> 0
    group by app_token, anchor, distance, event, is_feature

),

named as (

    select
        kinds.*,
        case
            when kinds.is_feature then 'Used ' || coalesce(features.feature_name, kinds.event)
            else kinds.event
        end as named_event
    from kinds
    left join features
        on
            kinds.is_feature
            and kinds.app_token = features.app_token
            and kinds.event = features.feature_id

),

-- Few, so that a number can stand for the texts while users are counted.
numbered as (

    select
        *,
        dense_rank() over (order by app_token, anchor, distance, named_event) as path_no
    from named

),

counted as (

    select
        numbered.path_no,
        count(distinct steps.user_id) as user_count
    from steps
    inner join numbered
        on
            steps.app_token = numbered.app_token
            and steps.anchor = numbered.anchor
            and steps.distance = numbered.distance
            and steps.event = numbered.event
            and steps.is_feature = numbered.is_feature
    group by numbered.path_no

),

paths as (

    select
        path_no,
        app_token,
        anchor,
        case when distance > 0 then 'after' else 'before' end as direction,
        abs(distance) as step,
        named_event as event
    from numbered
    group by path_no, app_token, anchor, distance, named_event

),

final as (

    select
        {{ surrogate_key([
            'paths.app_token', 'paths.anchor', 'paths.direction',
            'cast(paths.step as varchar)', 'paths.event',
        ]) }} as path_key,
        paths.app_token,
        paths.anchor,
        paths.direction,
        paths.step,
        paths.event,
        counted.user_count,
        anchor_users.anchor_user_count,
        {{ safe_divide('counted.user_count', 'anchor_users.anchor_user_count') }}
            as share
    from paths
    inner join counted on paths.path_no = counted.path_no
    inner join anchor_users
        on paths.app_token = anchor_users.app_token and paths.anchor = anchor_users.anchor

)

select * from final
