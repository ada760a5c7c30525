-- one row per (app_token, anchor, direction, step, event) that somebody did in a session
with

sessions as {{ inlined() }} (

    select * from {{ ref('int_path_sessions') }}

),

features as (

    select * from {{ ref('features') }}

),

kinds as (

    select
        kind_id,
        app_token,
        event,
        is_feature
    from {{ ref('int_event_kinds') }}
    group by kind_id, app_token, event, is_feature

),

named as (

    select
        kinds.kind_id,
        case
            when kinds.is_feature then 'Used ' || coalesce(features.feature_name, kinds.event)
            else kinds.event
        end as event
    from kinds
    left join features
        on
            kinds.app_token = features.app_token
            and case when kinds.is_feature then kinds.event end = features.feature_id

),

-- Few, so that numbers can stand for the texts while users are counted.
numbered_events as {{ computed_once() }} (

    select
        *,
        dense_rank() over (order by event) as event_no
    from named

),

anchors as {{ computed_once() }} (

    select
        app_token,
        anchor,
        count(distinct user_id) as anchor_user_count,
        row_number() over (order by app_token, anchor) as anchor_no
    from sessions
    group by app_token, anchor

),

numbered_sessions as (

    select
        sessions.user_id,
        sessions.kind_ids,
        sessions.anchor_place,
        anchors.anchor_no
    from sessions
    inner join anchors
        on sessions.app_token = anchors.app_token and sessions.anchor = anchors.anchor

),

steps as (

    {{ rows_of_list('numbered_sessions', 'kind_ids', 'kind_id', 'place') }}

),

counted as (

    select
        steps.anchor_no,
        numbered_events.event_no,
        steps.place - steps.anchor_place as distance,
        count(distinct steps.user_id) as user_count
    from steps
    inner join numbered_events on steps.kind_id = numbered_events.kind_id
    where steps.place <> steps.anchor_place
    group by steps.anchor_no, numbered_events.event_no, distance

),

events as (

    select
        event_no,
        event
    from numbered_events
    group by event_no, event

),

paths as (

    select
        anchors.app_token,
        anchors.anchor,
        case when counted.distance > 0 then 'after' else 'before' end as direction,
        abs(counted.distance) as step,
        events.event,
        counted.user_count,
        anchors.anchor_user_count
    from counted
    inner join anchors on counted.anchor_no = anchors.anchor_no
    inner join events on counted.event_no = events.event_no

),

final as (

    select
        {{ surrogate_key([
            'app_token', 'anchor', 'direction', 'cast(step as varchar)', 'event',
        ]) }} as path_key,
        *,
        {{ safe_divide('user_count', 'anchor_user_count') }} as share
    from paths

)

select * from final
