-- one row per (funnel, app_token, step) of the funnels that somebody entered
with

chains as (

    select * from {{ ref('int_funnel_chains') }}

),

steps as (

    select * from {{ ref('funnels') }}
    where step is not null and not coalesce(is_exclusion, false)

),

counted as (

    select
        funnel,
        app_token,
        step,
        count(*) as users,
        {{ quantile(seconds_between('previous_step_at', 'step_at'), 0.5) }}
            as median_seconds_from_previous,
        {{ quantile(seconds_between('previous_step_at', 'step_at'), 0.9) }}
            as p90_seconds_from_previous
    from chains
    group by funnel, app_token, step

),

entered as (

    select
        funnel,
        app_token,
        users as entered_users
    from counted
    where step = 1

),

all_steps as (

    select
        steps.funnel,
        entered.app_token,
        steps.step,
        steps.step_name,
        coalesce(counted.users, 0) as users,
        entered.entered_users,
        counted.median_seconds_from_previous,
        counted.p90_seconds_from_previous
    from entered
    inner join steps on entered.funnel = steps.funnel
    left join counted
        on
            entered.funnel = counted.funnel
            and entered.app_token = counted.app_token
            and steps.step = counted.step

),

with_previous as (

    select
        *,
        lag(users) over (partition by funnel, app_token order by step) as previous_users
    from all_steps

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
        {{ safe_divide('users', 'entered_users') }} as conversion_from_first,
        {{ safe_divide('users', 'previous_users') }} as conversion_from_previous,
        median_seconds_from_previous,
        p90_seconds_from_previous

    from with_previous

)

select * from final
