-- How many of those who signed up in April are still there, week by week?
-- Week N are the seven dates from 7 x N days after the user's own sign-up. A user counts for a week
-- once all of it has passed, which is why `eligible_users` shrinks: read `rate` down the column,
-- not `active_users`. Users who are there in week 8 need not have been there in week 7. The last
-- weeks rest on fewer than ten active users.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

cohort as (

    select
        user_key,
        min(occurred_date) as signed_up_date
    from marts.tracked_events
    where app_token = 'NX-44A1B2C3' and event_name = 'Account: Signed Up'
    group by user_key
    having
        min(occurred_date) >= date '2025-04-01'
        and min(occurred_date) < date '2025-05-01'

),

weeks as (

    select distinct period_n as week_n
    from marts.retention
    where period = 'week' and period_n between 1 and 10

),

eligible as (

    select
        weeks.week_n,
        cohort.user_key,
        cohort.signed_up_date
    from cohort
    cross join weeks
    cross join as_of
    where as_of.as_of_date - cohort.signed_up_date >= 7 * weeks.week_n + 6

)

select
    eligible.week_n,
    count(distinct eligible.user_key) as eligible_users,
    count(distinct user_days.user_key) as active_users,
    round(
        1.0 * count(distinct user_days.user_key) / count(distinct eligible.user_key), 3
    ) as rate
from eligible
left join marts.user_days
    on
        eligible.user_key = user_days.user_key
        and user_days.activity_date - eligible.signed_up_date between
        7 * eligible.week_n and 7 * eligible.week_n + 6
group by eligible.week_n
order by eligible.week_n
limit 10
