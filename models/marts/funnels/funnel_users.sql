-- one row per (funnel, app_token, user_id) that entered the funnel
with

chains as (

    select * from {{ ref('int_funnel_chains') }}

),

lengths as (

    select
        funnel,
        max(step) as last_step
    from {{ ref('funnels') }}
    group by funnel

),

as_of as (

    select * from {{ ref('int_as_of_date') }}

),

attempts as (

    select
        funnel,
        app_token,
        user_id,
        {{ user_key() }} as user_key,
        min(entry_at) as entry_at,
        min(window_ends_at) as window_ends_at,
        max(step) as max_step,
        {{ join_in_order(iso_timestamp('step_at'), ',', 'step') }} as step_times
    from chains
    group by funnel, app_token, user_id

),

final as (

    select
        ---------- ids
        {{ surrogate_key(['attempts.funnel', 'attempts.app_token', 'attempts.user_id']) }}
            as funnel_user_key,
        attempts.funnel,
        attempts.app_token,
        attempts.user_id,
        attempts.user_key,

        ---------- text
        attempts.step_times,

        ---------- numbers
        attempts.max_step,

        ---------- booleans
        attempts.max_step < lengths.last_step
        and coalesce(
            attempts.window_ends_at
            > {{ start_of_date_in_utc(dbt.dateadd('day', 1, 'as_of.as_of_date')) }},
            true
        ) as is_open,

        ---------- times
        attempts.entry_at

    from attempts
    inner join lengths on attempts.funnel = lengths.funnel
    cross join as_of

)

select * from final
