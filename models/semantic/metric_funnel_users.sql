-- one row per (funnel, app_token, user_id, step): a user who entered, and each step of the funnel
{{ config(schema='intermediate') }}
with

funnel_users as (

    select * from {{ ref('funnel_users') }}

),

steps as (

    select
        funnel,
        step,
        step = max(step) over (partition by funnel) as is_last_step
    from {{ ref('funnels') }}
    where step is not null and not coalesce(is_exclusion, false)

),

final as (

    select
        {{ surrogate_key([
            'funnel_users.funnel', 'funnel_users.app_token', 'funnel_users.user_id',
            'cast(steps.step as varchar)',
        ]) }} as funnel_user_step_key,
        {{ surrogate_key([
            'funnel_users.funnel', 'funnel_users.app_token', 'cast(steps.step as varchar)',
        ]) }} as funnel_step_key,
        funnel_users.user_key,
        funnel_users.app_token,
        funnel_users.funnel,
        steps.step,
        steps.is_last_step,
        funnel_users.is_open,
        funnel_users.max_step >= steps.step as is_reached,
        steps.step > 1 and funnel_users.max_step >= steps.step - 1 as is_previous_reached,
        {{ date_in_zone('funnel_users.entry_at') }} as entry_date
    from funnel_users
    inner join steps on funnel_users.funnel = steps.funnel

)

select * from final
