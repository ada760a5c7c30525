-- one row per (app_token, activity_date), from the app's first activity to the as-of date, no gaps
with

as_of as (

    select * from {{ ref('int_as_of_date') }}

),

active_days as (

    select
        user_days.app_token,
        user_days.activity_date,
        lag(user_days.activity_date) over (
            partition by user_days.user_key
            order by user_days.activity_date
        ) as previous_date,
        lead(user_days.activity_date) over (
            partition by user_days.user_key
            order by user_days.activity_date
        ) as next_date
    from {{ ref('user_days') }} as user_days
    inner join as_of on user_days.activity_date <= as_of.as_of_date

),

starts as (

    select
        app_token,
        activity_date,
        count(*) as dau,
        count(case when previous_date is null then 1 end) as new_users,
        count(case when previous_date = activity_date - 1 then 1 end) as retained_users
    from active_days
    group by app_token, activity_date

),

-- An active day counts for 7 (28) dates, or until the user's next one takes over.
ends_7 as (

    select
        app_token,
        least(activity_date + 7, coalesce(next_date, activity_date + 7)) as end_date,
        count(*) as users
    from active_days
    group by app_token, end_date

),

ends_28 as (

    select
        app_token,
        least(activity_date + 28, coalesce(next_date, activity_date + 28)) as end_date,
        count(*) as users
    from active_days
    group by app_token, end_date

),

apps as (

    select
        starts.app_token,
        min(starts.activity_date) as first_date,
        max(as_of.as_of_date) as last_date
    from starts
    cross join as_of
    group by starts.app_token

),

users as (

    select
        app_token,
        count(*) as user_count
    from {{ ref('users') }}
    group by app_token

),

spine as (

    {{ dates_between('apps', 'first_date', 'last_date', 'activity_date') | indent(4) }}

),

counted as (

    select
        spine.app_token,
        spine.activity_date,
        coalesce(starts.dau, 0) as dau,
        coalesce(starts.new_users, 0) as new_users,
        coalesce(starts.retained_users, 0) as retained_users,
        sum(coalesce(starts.dau, 0) - coalesce(ends_7.users, 0)) over so_far as wau,
        sum(coalesce(starts.dau, 0) - coalesce(ends_28.users, 0)) over so_far as mau,
        sum(coalesce(starts.new_users, 0)) over so_far as users_so_far
    from spine
    left join starts
        on spine.app_token = starts.app_token and spine.activity_date = starts.activity_date
    left join ends_7
        on spine.app_token = ends_7.app_token and spine.activity_date = ends_7.end_date
    left join ends_28
        on spine.app_token = ends_28.app_token and spine.activity_date = ends_28.end_date
    window so_far as (partition by spine.app_token order by spine.activity_date)

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'cast(counted.activity_date as varchar)']) }}
            as daily_activity_key,
        counted.app_token,
        counted.activity_date,
        counted.dau,
        cast(counted.wau as bigint) as wau,
        cast(counted.mau as bigint) as mau,
        {{ safe_divide('counted.dau', 'counted.mau') }} as stickiness,
        counted.new_users,
        counted.retained_users,
        counted.dau - counted.new_users - counted.retained_users as resurrected_users,
        cast(counted.users_so_far - counted.dau as bigint) as dormant_users,
        cast(users.user_count - counted.users_so_far as bigint) as not_yet_seen_users
    from counted
    inner join users on counted.app_token = users.app_token

)

select * from final
