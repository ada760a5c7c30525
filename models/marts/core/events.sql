-- one row per event
{#-
    A view, since it costs a reader next to nothing; a table where each reader would have to look for
    patterns, or rewrite metadata, for which it would need the salt.
-#}
{% set is_costly = (
    var('excluded_hostnames') or var('excluded_user_agents')
    or var('traits_to_hash') or var('traits_to_drop')
) %}
{{ config(
    materialized='table' if is_costly else 'view',
    meta={'cut': {'by': 'change', 'parents': ['int_events__judged']}},
) }}
with

events as (

    select * from {{ ref('int_events__judged') }}
    where removal_reason is null

),

final as (

    select
        ---------- ids
        event_key,
        app_token,
        internal_event_id,
        user_id,
        {{ user_key() }} as user_key,
        company_id,
        {{ company_key() }} as company_key,
        session,
        {{ session_key() }} as session_key,

        ---------- text
        event_type,
        event_name,
        source,
        hostname,
        pathname,
        device_type,
        user_agent,
        operating_system,
        browser,
        browser_language,
        country_code,
        metadata,

        ---------- numbers
        screen_width,
        screen_height,

        ---------- booleans
        is_activity,
        is_future_dated,

        ---------- times
        occurred_at,
        occurred_date

    from events

)

select * from final
