-- Do people who came later stay better?
-- Users by the month of the Monday of their first active week, and the share active again 1, 4 and
-- 8 calendar weeks later. A user is in one weekly cohort only, so cohorts may be summed. Weeks that
-- are not over are left out: a rate covers those cohorts of the month that have had their week, and
-- is empty before. The first month holds everybody who was there when the export began: they are no
-- newcomers.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

complete_weeks as (

    select
        retention.*,
        cast(date_trunc('month', retention.cohort_date) as date) as cohort_month
    from marts.retention
    cross join as_of
    where
        retention.app_token = 'NX-44A1B2C3'
        and retention.period = 'week'
        and as_of.as_of_date - retention.cohort_date >= 7 * retention.period_n + 6

),

months as (

    select
        cohort_month,
        sum(case when period_n = 0 then cohort_users end) as users,
        sum(case when period_n = 1 then eligible_users end) as eligible_1,
        sum(case when period_n = 1 then retained_users end) as retained_1,
        sum(case when period_n = 4 then eligible_users end) as eligible_4,
        sum(case when period_n = 4 then retained_users end) as retained_4,
        sum(case when period_n = 8 then eligible_users end) as eligible_8,
        sum(case when period_n = 8 then retained_users end) as retained_8
    from complete_weeks
    group by cohort_month

)

select
    cohort_month,
    users,
    round(1.0 * retained_1 / eligible_1, 3) as week_1,
    round(1.0 * retained_4 / eligible_4, 3) as week_4,
    round(1.0 * retained_8 / eligible_8, 3) as week_8
from months
order by cohort_month
limit 10
