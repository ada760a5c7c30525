-- one row per (funnel, app_token, user_id) that entered the funnel: the attempt that counts, the
-- deepest and of several the one that enters first
-- A table: `funnel_users` adds to it what changes with the as-of date, for everybody.
{{ config(materialized='table', meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

{{ funnel_attempts_of(ref('funnels'), names=ref('int_event_kinds')) }}

select * from attempts
