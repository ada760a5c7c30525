-- one row per (funnel, app_token, user_id, step): the steps of the attempt that counts, the deepest
-- and of several the one that enters first
with recursive

entries as (

    select * from {{ ref('int_funnel_entries') }}

),

links as (

    select * from {{ ref('int_funnel_links') }}

),

attempts as (

    select
        funnel,
        app_token,
        user_id,
        entry_at,
        window_ends_at,
        excluded_at,
        cast(1 as bigint) as step,
        entry_at as step_at
    from entries
    union all
    select
        attempts.funnel,
        attempts.app_token,
        attempts.user_id,
        attempts.entry_at,
        attempts.window_ends_at,
        attempts.excluded_at,
        attempts.step + 1 as step,
        links.next_at as step_at
    from attempts
    inner join links
        on
            attempts.funnel = links.funnel
            and attempts.app_token = links.app_token
            and attempts.user_id = links.user_id
            and attempts.step = links.step
            and attempts.step_at = links.matched_at
    where
        links.next_at is not null
        and (attempts.window_ends_at is null or links.next_at <= attempts.window_ends_at)
        and (attempts.excluded_at is null or links.next_at <= attempts.excluded_at)

),

measured as (

    select
        *,
        max(step) over (partition by funnel, app_token, user_id, entry_at) as depth
    from attempts

),

ranked as (

    select
        *,
        dense_rank() over (
            partition by funnel, app_token, user_id
            order by depth desc, entry_at asc
        ) as attempt_rank
    from measured

),

final as (

    select
        funnel,
        app_token,
        user_id,
        entry_at,
        window_ends_at,
        step,
        step_at,
        lag(step_at) over (
            partition by funnel, app_token, user_id
            order by step
        ) as previous_step_at
    from ranked
    where attempt_rank = 1

)

select * from final
