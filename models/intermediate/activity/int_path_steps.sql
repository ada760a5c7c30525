-- one row per (app_token, anchor, user_id, distance, event, feature_id): the user did it that many
-- events after (before, if negative) the first anchor of a session; distance 0 is the anchor itself
{% set longest = 10 %}
{{ config(materialized='maintained', meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

events as (

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

numbered as (

    select
        session_key,
        app_token,
        user_id,
        event_type,
        event_name,
        feature_id,
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
        min(numbered.place) as place
    from numbered
    inner join anchor_names
        on
            numbered.event_type = anchor_names.matched_type
            and numbered.event_name is not distinct from anchor_names.matched_name
    group by anchor_names.anchor, numbered.session_key

),

steps as (

    select
        numbered.app_token,
        anchors.anchor,
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

),

final as (

    select distinct
        app_token,
        anchor,
        user_id,
        distance,
        event,
        feature_id
    from steps

)

select * from final
