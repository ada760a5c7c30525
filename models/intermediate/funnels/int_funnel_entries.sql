-- one row per (funnel, app_token, user_id, entry_at): an attempt, and the last moment that counts
with

final as (

    {{ funnel_entries(ref('int_funnel_matches'), ref('funnels'), 'user_id') }}

)

select * from final
