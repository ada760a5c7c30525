-- one row per (funnel, app_token, user_id, step): the steps of the attempt that counts, the deepest
-- and of several the one that enters first
{{ config(
    materialized='maintained',
    meta={'cut': {'by': 'user', 'parents': ['int_funnel_entries', 'int_funnel_links']}},
) }}
with

final as (

    {{ funnel_chains(ref('int_funnel_entries'), ref('int_funnel_links'), 'user_id') }}

)

select * from final
