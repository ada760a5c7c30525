-- one row per track event
{{ config(materialized='view') }}
with

events as (

    select * from {{ ref('events') }}
    where event_type = 'track'

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'track'

),

final as (

    select
        events.event_key,
        events.app_token,
        events.internal_event_id,
        events.event_name,
        names.name as display_name,
        events.user_id,
        events.user_key,
        events.company_id,
        events.company_key,
        events.session,
        events.session_key,
        events.source,
        events.hostname,
        events.pathname,
        events.device_type,
        events.user_agent,
        events.operating_system,
        events.browser,
        events.browser_language,
        events.country_code,
        events.metadata,
        events.screen_width,
        events.screen_height,
        events.is_activity,
        events.is_future_dated,
        events.occurred_at,
        events.occurred_date
    from events
    left join names
        on events.app_token = names.app_token and events.event_name = names.entity_id

)

select * from final
