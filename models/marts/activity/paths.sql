-- one row per (app_token, anchor, direction, step, event) that somebody did in a session
{% set longest = 10 %}
with

features as (

    select * from {{ ref('features') }}

),

events as (

    select
        events.event_key,
        events.internal_event_id,
        events.session_key,
        events.app_token,
        events.user_id,
        events.event_type,
        events.event_name,
        events.occurred_at,
        coalesce(
            case events.event_type
                when 'page_view'
                    then 'Viewed ' || coalesce(events.pathname, events.hostname, '(unknown page)')
                when 'track' then events.event_name
                when 'track_feature'
                    then 'Used ' || coalesce(features.feature_name, events.event_name)
                when 'interaction' then events.event_name
                when 'session_start' then 'Session start'
                else events.event_type || ': ' || events.event_name
            end,
            events.event_type
        ) as event
    from {{ ref('events') }} as events
    left join features
        on events.app_token = features.app_token and events.event_name = features.feature_id
    where
        events.session_key is not null
        and events.is_activity
        and events.event_type not in ('identify_user', 'identify_company')

),

numbered as (

    select
        session_key,
        app_token,
        user_id,
        event_type,
        event_name,
        event,
        row_number() over (
            partition by session_key
            order by {{ event_order() | join(', ') }}
        ) as place
    from events

),

anchor_names as (

    {{ matching_names('numbered', ref('path_anchors')) }}

),

anchor_places as (

    select
        anchor_names.anchor,
        numbered.session_key,
        min(numbered.app_token) as app_token,
        min(numbered.user_id) as user_id,
        min(numbered.place) as place
    from numbered
    inner join anchor_names
        on
            numbered.event_type = anchor_names.matched_type
            and numbered.event_name is not distinct from anchor_names.matched_name
    group by anchor_names.anchor, numbered.session_key

),

anchor_users as (

    select
        app_token,
        anchor,
        count(distinct user_id) as anchor_user_count
    from anchor_places
    group by app_token, anchor

),

steps as (

    select
        anchors.app_token,
        anchors.anchor,
        anchors.user_id,
        numbered.event,
        numbered.place - anchors.place as distance
    from anchor_places as anchors
    inner join numbered
        on
            anchors.session_key = numbered.session_key
            and anchors.place >= numbered.place - {{ longest }}
            and anchors.place <= numbered.place + {{ longest }}
            and anchors.place <> numbered.place

),

counted as (

    select
        app_token,
        anchor,
        event,
        distance,
        count(distinct user_id) as user_count
    from steps
    group by app_token, anchor, event, distance

),

named as (

    select
        app_token,
        anchor,
        case when distance > 0 then 'after' else 'before' end as direction,
        abs(distance) as step,
        event,
        user_count
    from counted

),

final as (

    select
        {{ surrogate_key([
            'named.app_token', 'named.anchor', 'named.direction', 'cast(named.step as varchar)',
            'named.event',
        ]) }} as path_key,
        named.app_token,
        named.anchor,
        named.direction,
        named.step,
        named.event,
        named.user_count,
        anchor_users.anchor_user_count,
        {{ safe_divide('named.user_count', 'anchor_users.anchor_user_count') }}
            as share
    from named
    inner join anchor_users
        on named.app_token = anchor_users.app_token and named.anchor = anchor_users.anchor

)

select * from final
