-- one row per (app_token, anchor, session_key): when the session first has an event that fits it
{{ config(
    materialized='table',
    meta={'cut': {'by': 'session', 'parents': ['events'], 'sessions': 'sessions'}},
) }}
-- depends_on: {{ ref('sessions') }}
-- A table: beside the lists of int_path_sessions it would take more memory than there is.
with

events as (

    select * from {{ ref('events') }}
    where
        {{ is_path_step() }}

),

anchor_names as (

    {{ matching_names(ref('int_event_kinds'), ref('path_anchors')) }}

),

anchors as (

    select
        events.app_token,
        events.user_id,
        events.session,
        anchor_names.anchor,
        min({{ microseconds('events.occurred_at') }}) as anchor_at
    from events
    inner join anchor_names
        on
            events.event_type = anchor_names.matched_type
            and events.event_name is not distinct from anchor_names.matched_name
    group by events.app_token, events.user_id, events.session, anchor_names.anchor

),

final as (

    select
        *,
        {{ session_key() }} as session_key
    from anchors

)

select * from final
