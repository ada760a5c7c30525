-- one row per (funnel, app_token, user_id) that entered the funnel
with

attempts as (

    {{ funnel_attempts(ref('int_funnel_chains'), ref('funnels'), 'user_id') }}

),

final as (

    select
        ---------- ids
        {{ surrogate_key(['funnel', 'app_token', 'user_id']) }} as funnel_user_key,
        funnel,
        app_token,
        user_id,
        {{ user_key() }} as user_key,

        ---------- text
        step_times,

        ---------- numbers
        max_step,

        ---------- booleans
        is_open,

        ---------- times
        entry_at

    from attempts

)

select * from final
