-- one row per (funnel, app_token, user_id) that entered the funnel
-- A table: `funnel_users` adds to it what changes with the as-of date, for everybody.
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'user', 'parents': ['int_funnel_chains']}},
) }}
with

reached as (

    {{ funnel_reached(ref('int_funnel_chains')) }}

),

final as (

    select
        *,
        {{ surrogate_key(['funnel', 'app_token', 'user_id']) }} as funnel_user_key,
        {{ user_key() }} as user_key
    from reached

)

select * from final
