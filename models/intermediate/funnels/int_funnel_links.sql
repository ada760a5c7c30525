-- one row per (funnel, app_token, user_id, step, matched_at), with the earliest strictly later
-- match of the next step
-- A table: the recursion over the chains reads it once a step.
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'user', 'parents': ['int_funnel_matches']}},
) }}
with

final as (

    {{ funnel_links(ref('int_funnel_matches'), 'user_id') }}

)

select * from final
