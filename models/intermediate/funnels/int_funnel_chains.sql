-- one row per (funnel, app_token, user_id, step): the steps of the attempt that counts, the deepest
-- and of several the one that enters first
{{ config(materialized='maintained', meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

{{ funnel_chains_of(ref('funnels')) }}

select * from chains
