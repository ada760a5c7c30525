-- one row per (funnel, app_token, user_id) that entered the funnel
{{ config(materialized='view') }}
with

attempts as (

    {{ funnel_openness(ref('int_funnel_attempts'), ref('funnels')) }}

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
        {{ join_timestamps('step_ats', ',') }} as step_times,

        ---------- numbers
        max_step,

        ---------- booleans
        is_open,

        ---------- times
        entry_at

    from attempts

)

select * from final
