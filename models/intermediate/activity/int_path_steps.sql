-- one row per (app_token, anchor, session_key, distance): what was done that many events after
-- (before, if negative) the first anchor of a session; distance 0 is the anchor itself
-- depends_on: {{ ref('sessions') }}
{% set longest = 10 %}
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'session', 'parents': ['events'], 'sessions': 'sessions'}},
) }}
with

events as {{ inlined() }} (

    select
        *,
        case when event_type = 'track_feature' then event_name end as feature_id,
        coalesce(
            case event_type
                when 'page_view'
                    then 'Viewed ' || coalesce(pathname, hostname, '(unknown page)')
                when 'track' then event_name
                when 'track_feature' then 'Used ' || event_name
                when 'interaction' then event_name
                when 'session_start' then 'Session start'
                else event_type || ': ' || event_name
            end,
            event_type
        ) as event
    from {{ ref('events') }}
    where
        session_key is not null
        and is_activity
        and event_type not in ('identify_user', 'identify_company')

),

anchor_names as (

    {{ matching_names('events', ref('path_anchors')) }}

),

anchored_sessions as (

    select distinct events.session_key
    from events
    inner join anchor_names
        on
            events.event_type = anchor_names.matched_type
            and events.event_name is not distinct from anchor_names.matched_name

),

numbered as (

    select
        events.session_key,
        events.app_token,
        events.user_id,
        events.event_type,
        events.event_name,
        events.feature_id,
        events.event,
        row_number() over (
            partition by events.session_key
            order by {{ event_order('events') | join(', ') }}
        ) as place
    from events
    inner join anchored_sessions on events.session_key = anchored_sessions.session_key

),

anchor_places as (

    select
        anchor_names.anchor,
        numbered.session_key,
        min(numbered.place) as place
    from numbered
    inner join anchor_names
        on
            numbered.event_type = anchor_names.matched_type
            and numbered.event_name is not distinct from anchor_names.matched_name
    group by anchor_names.anchor, numbered.session_key

),

final as (

    select
        numbered.app_token,
        anchors.anchor,
        numbered.session_key,
        numbered.user_id,
        numbered.place - anchors.place as distance,
        case when numbered.place <> anchors.place then numbered.event end as event,
        case when numbered.place <> anchors.place then numbered.feature_id end as feature_id
    from anchor_places as anchors
    inner join numbered
        on
            anchors.session_key = numbered.session_key
            and anchors.place >= numbered.place - {{ longest }}
            and anchors.place <= numbered.place + {{ longest }}

)

select * from final
