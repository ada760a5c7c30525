-- one row per (funnel, app_token, user_id, step, matched_at): an event that fits a step;
-- step 0 stands for the funnel's exclusions
{{ config(materialized='maintained', meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

final as (

    {{ funnel_matches(ref('funnels'), 'user_id', ref('events')) }}

)

select * from final
