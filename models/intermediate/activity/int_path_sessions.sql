-- one row per (app_token, anchor, session_key): what was done around the first anchor of a session
{% set longest = 10 %}
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'session', 'parents': ['events'], 'sessions': 'sessions'}},
) }}
-- depends_on: {{ ref('sessions') }}
with

events as {{ inlined() }} (

    select
        *,
        {{ viewed_page() }} as page
    from {{ ref('events') }}
    where
        user_id is not null
        and session is not null
        and is_activity
        and event_type not in ('identify_user', 'identify_company')

),

kinds as (

    select
        kind_id,
        app_token,
        event_type,
        event_name,
        page
    from {{ ref('int_event_kinds') }}
    group by kind_id, app_token, event_type, event_name, page

),

anchor_names as (

    {{ matching_names('kinds', ref('path_anchors')) }}

),

anchor_kinds as (

    select
        kinds.app_token,
        anchor_names.anchor,
        kinds.kind_id
    from anchor_names
    inner join kinds
        on
            anchor_names.matched_type = kinds.event_type
            and anchor_names.matched_name is not distinct from kinds.event_name

),

anchors as (

    select
        app_token,
        anchor,
        {{ list_in_order('kind_id', '0') }} as kind_ids
    from anchor_kinds
    group by app_token, anchor

),

-- Left, although each has a kind: it tells the engine that no row goes.
known as {{ inlined() }} (

    select
        events.*,
        kinds.kind_id
    from events
    left join kinds
        on
            events.app_token = kinds.app_token
            and events.event_type = kinds.event_type
            and events.event_name is not distinct from kinds.event_name
            and events.page is not distinct from kinds.page

),

timed as (

    select
        app_token,
        user_id,
        session,
        {{ list_in_order('kind_id', microseconds('occurred_at')) }} as kind_ids,
        {{ list_is_tied('kind_id', microseconds('occurred_at')) }} as is_tied
    from known
    group by app_token, user_id, session

),

-- The whole order of events is dear and only matters where two are of one moment.
placed as (

    select
        app_token,
        user_id,
        session,
        kind_id,
        row_number() over (
            partition by app_token, user_id, session
            order by {{ event_order() | join(', ') }}
        ) as place
    from known
    where
        (app_token, user_id, session) in (
            select
                timed.app_token,
                timed.user_id,
                timed.session
            from timed
            where timed.is_tied
        )

),

tied as (

    select
        app_token,
        user_id,
        session,
        {{ list_in_order('kind_id', 'place') }} as kind_ids
    from placed
    group by app_token, user_id, session

),

ordered as (

    select
        timed.app_token,
        timed.user_id,
        timed.session,
        coalesce(tied.kind_ids, timed.kind_ids) as kind_ids
    from timed
    left join tied
        on
            timed.app_token = tied.app_token
            and timed.user_id = tied.user_id
            and timed.session = tied.session

),

paired as (

    select
        ordered.*,
        anchors.anchor,
        anchors.kind_ids as anchor_kind_ids
    from ordered
    inner join anchors on ordered.app_token = anchors.app_token

),

anchored as (

    select
        *,
        {{ first_place('kind_ids', 'anchor_kind_ids') }} as place
    from paired

),

final as (

    select
        app_token,
        anchor,
        {{ session_key() }} as session_key,
        user_id,
        {{ list_part('kind_ids', 'place - ' ~ longest, 'place + ' ~ longest) }} as kind_ids,
        least(place, {{ longest + 1 }}) as anchor_place
    from anchored
    where place is not null

)

select * from final
