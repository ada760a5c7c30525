-- How long does it take from sign-up to the first report?
-- Value is the first `Report: Created` within 14 days of the sign-up event, by month of sign-up,
-- for users whose 14 days have passed. The median is that of the users who got there, who are few,
-- and says nothing about the others: read `reporting_share` first. Sign-up times come from the
-- tracked event, as the trait `signed_up_at` is often a bare date.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

sign_ups as (

    select
        user_key,
        min(occurred_at) as signed_up_at,
        min(occurred_date) as signed_up_date
    from marts.tracked_events
    where app_token = 'NX-44A1B2C3' and event_name = 'Account: Signed Up'
    group by user_key

),

first_reports as (

    select
        sign_ups.user_key,
        min(tracked_events.occurred_at) as reported_at
    from sign_ups
    inner join marts.tracked_events
        on
            sign_ups.user_key = tracked_events.user_key
            and sign_ups.signed_up_at <= tracked_events.occurred_at
            and tracked_events.occurred_at <= sign_ups.signed_up_at + interval '14' day
    where tracked_events.event_name = 'Report: Created'
    group by sign_ups.user_key

),

journeys as (

    select
        sign_ups.signed_up_date,
        extract(epoch from first_reports.reported_at - sign_ups.signed_up_at) / 86400 as days_taken
    from sign_ups
    cross join as_of
    left join first_reports
        on sign_ups.user_key = first_reports.user_key
    where sign_ups.signed_up_date <= as_of.as_of_date - interval '14' day

)

select
    cast(date_trunc('month', signed_up_date) as date) as signed_up_month,
    count(*) as users,
    count(days_taken) as made_a_report,
    round(1.0 * count(days_taken) / count(*), 3) as reporting_share,
    round(percentile_cont(0.5) within group (order by days_taken), 1) as median_days
from journeys
group by signed_up_month
order by signed_up_month
limit 10
