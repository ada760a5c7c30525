-- one row per track_feature event
{{ config(materialized='view') }}
with

events as (

    select * from {{ ref('events') }}
    where event_type = 'track_feature'

),

definitions as (

    select * from {{ ref('stg_userpilot__feature_definitions') }}

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'track_feature'

),

final as (

    select
        events.event_key,
        events.app_token,
        events.internal_event_id,
        events.event_name as feature_id,
        coalesce(names.name, definitions.feature_name) as feature_name,
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
    left join definitions
        on events.app_token = definitions.app_token and events.event_name = definitions.feature_id
    left join names
        on events.app_token = names.app_token and events.event_name = names.entity_id

)

select * from final
