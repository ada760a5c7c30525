-- one row per (funnel, app_token, user_id, step, matched_at), with the earliest strictly later
-- match of the next step
with

matches as (

    select * from {{ ref('int_funnel_matches') }}

),

next_steps as (

    select
        funnel,
        app_token,
        user_id,
        step - 1 as step,
        matched_at,
        'next step' as role
    from matches
    where step >= 2

),

steps_and_targets as (

    select
        funnel,
        app_token,
        user_id,
        step,
        matched_at,
        'step' as role
    from matches
    where step >= 1
    union all
    select
        funnel,
        app_token,
        user_id,
        step,
        matched_at,
        role
    from next_steps

),

linked as (

    select
        *,
        min(case when role = 'next step' then matched_at end) over (
            partition by funnel, app_token, user_id, step
            order by matched_at
            range between interval '1 microsecond' following and unbounded following
        ) as next_at
    from steps_and_targets

),

final as (

    select
        funnel,
        app_token,
        user_id,
        step,
        matched_at,
        next_at
    from linked
    where role = 'step'

)

select * from final
