-- one row per page_view event
{{ config(materialized='view') }}
with

events as (

    select * from {{ ref('events') }}
    where event_type = 'page_view'

),

final as (

    select
        event_key,
        app_token,
        internal_event_id,
        user_id,
        user_key,
        company_id,
        company_key,
        session,
        session_key,
        source,
        hostname,
        pathname,
        device_type,
        user_agent,
        operating_system,
        browser,
        browser_language,
        country_code,
        screen_width,
        screen_height,
        is_activity,
        is_future_dated,
        occurred_at,
        occurred_date
    from events

)

select * from final
