-- one row per (app_token, anchor, session_key, distance): what was done that many events after
-- (before, if negative) the first anchor of a session; distance 0 is the anchor itself
{% set longest = 10 %}
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'session', 'parents': ['events'], 'sessions': 'sessions'}},
) }}
with

events as {{ inlined() }} (

    select
        *,
        case when event_type = 'page_view' then coalesce(pathname, hostname) end as page
    from {{ ref('events') }}
    where
        user_id is not null
        and session is not null
        and is_activity
        and event_type not in ('identify_user', 'identify_company')

),

-- Few, so that a number can stand for the texts while events are sorted.
kinds as (

    select
        *,
        row_number() over (order by event_type, event_name, page) as kind_no,
        event_type = 'track_feature' and event_name is not null as is_feature,
        coalesce(
            case event_type
                when 'page_view' then 'Viewed ' || coalesce(page, '(unknown page)')
                when 'track' then event_name
                when 'track_feature' then event_name
                when 'interaction' then event_name
                when 'session_start' then 'Session start'
                else event_type || ': ' || event_name
            end,
            event_type
        ) as event
    from (
        select
            event_type,
            event_name,
            page
        from events
        group by event_type, event_name, page
    ) as grouped_events

),

anchor_names as (

    {{ matching_names('kinds', ref('path_anchors')) }}

),

-- In no order: to sort the keys of all sessions would take longer than to number them.
anchored_sessions as {{ computed_once() }} (

    select
        session_key,
        app_token,
        user_id,
        session,
        row_number() over () as session_no
    from {{ ref('sessions') }}
    where
        (app_token, user_id, session) in (
            select
                events.app_token,
                events.user_id,
                events.session
            from events
            inner join anchor_names
                on
                    events.event_type = anchor_names.matched_type
                    and events.event_name is not distinct from anchor_names.matched_name
        )

),

-- Left, here and below, although each has a kind: it tells the engine that no row goes.
known as {{ inlined() }} (

    select
        events.*,
        kinds.kind_no
    from events
    left join kinds
        on
            events.event_type = kinds.event_type
            and events.event_name is not distinct from kinds.event_name
            and events.page is not distinct from kinds.page

),

spaced as (

    select
        sessions.session_no,
        known.kind_no,
        row_number() over (
            partition by sessions.session_no order by known.occurred_at
        ) as place,
        known.occurred_at = lag(known.occurred_at) over (
            partition by sessions.session_no order by known.occurred_at
        ) as is_tied
    from known
    inner join anchored_sessions as sessions
        on
            known.app_token = sessions.app_token
            and known.user_id = sessions.user_id
            and known.session = sessions.session

),

tied_sessions as (

    select
        session_no,
        app_token,
        user_id,
        session
    from anchored_sessions
    where
        session_no in (
            select spaced.session_no
            from spaced
            where spaced.is_tied
        )

),

-- The whole order of events is dear and only matters where two are of one moment.
numbered as (

    select
        session_no,
        kind_no,
        place
    from spaced
    where session_no not in (select tied_sessions.session_no from tied_sessions)
    union all
    select
        sessions.session_no,
        known.kind_no,
        row_number() over (
            partition by sessions.session_no
            order by {{ event_order('known') | join(', ') }}
        ) as place
    from known
    inner join tied_sessions as sessions
        on
            known.app_token = sessions.app_token
            and known.user_id = sessions.user_id
            and known.session = sessions.session

),

anchor_places as (

    select
        anchor_names.anchor,
        numbered.session_no,
        min(numbered.place) as place
    from numbered
    inner join kinds on numbered.kind_no = kinds.kind_no
    inner join anchor_names
        on
            kinds.event_type = anchor_names.matched_type
            and kinds.event_name is not distinct from anchor_names.matched_name
    group by anchor_names.anchor, numbered.session_no

),

anchors as (

    select
        anchor_places.*,
        sessions.session_key,
        sessions.app_token,
        sessions.user_id
    from anchor_places
    inner join anchored_sessions as sessions on anchor_places.session_no = sessions.session_no

),

named as (

    select
        numbered.session_no,
        numbered.place,
        kinds.event,
        kinds.is_feature
    from numbered
    left join kinds on numbered.kind_no = kinds.kind_no

),

final as (

    select
        anchors.app_token,
        anchors.anchor,
        anchors.session_key,
        anchors.user_id,
        named.place - anchors.place as distance,
        case when named.place <> anchors.place then named.event end as event,
        case when named.place <> anchors.place then named.is_feature end as is_feature
    from anchors
    inner join named
        on
            anchors.session_no = named.session_no
            and anchors.place >= named.place - {{ longest }}
            and anchors.place <= named.place + {{ longest }}

)

select * from final
