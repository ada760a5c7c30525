-- one row per (funnel, app_token, user_id, entry_at): an attempt, and the last moment that counts
with

matches as (

    select * from {{ ref('int_funnel_matches') }}
    where step in (0, 1)

),

windows as (

    select
        funnel,
        max(window_seconds) as window_seconds
    from {{ ref('funnels') }}
    group by funnel

),

followed as (

    select
        *,
        min(case when step = 0 then matched_at end) over (
            partition by funnel, app_token, user_id
            order by matched_at
            range between interval '1 microsecond' following and unbounded following
        ) as excluded_at
    from matches

),

final as (

    select
        followed.funnel,
        followed.app_token,
        followed.user_id,
        followed.matched_at as entry_at,
        {{ add_seconds('followed.matched_at', 'windows.window_seconds') }} as window_ends_at,
        followed.excluded_at
    from followed
    inner join windows on followed.funnel = windows.funnel
    where followed.step = 1

)

select * from final
