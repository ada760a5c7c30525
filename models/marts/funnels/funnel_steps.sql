-- one row per (funnel, app_token, step) of the funnels that somebody entered
with

conversions as (

    {{ funnel_conversions(ref('int_funnel_attempts'), ref('funnels')) }}

),

final as (

    select
        ---------- ids
        {{ surrogate_key(['funnel', 'app_token', 'cast(step as varchar)']) }} as funnel_step_key,
        funnel,
        app_token,
        step,

        ---------- text
        step_name,

        ---------- numbers
        users,
        conversion_from_first,
        conversion_from_previous,
        median_seconds_from_previous,
        p90_seconds_from_previous

    from conversions

)

select * from final
