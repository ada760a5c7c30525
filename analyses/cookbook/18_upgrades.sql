-- How many trials become paying within 30 days?
-- Users who were on a trial when they signed up, by month, and those of them whose trait
-- `plan_type` became `pro` or `enterprise` in the 30 days after, by the history of traits. Only
-- users whose 30 days have passed count. A trait says what the application sent, not what was paid.
-- `low` and `high` are the 95 % Wilson interval: months with a handful of upgrades do not differ.
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

trials as (

    select sign_ups.*
    from sign_ups
    cross join as_of
    inner join marts.user_traits_history
        on
            sign_ups.user_key = user_traits_history.user_key
            and sign_ups.signed_up_at >= user_traits_history.valid_from
            and (
                user_traits_history.valid_to is null
                or sign_ups.signed_up_at < user_traits_history.valid_to
            )
    where
        (user_traits_history.traits ->> 'plan_type') = 'trial'
        and sign_ups.signed_up_date <= as_of.as_of_date - interval '30' day

),

upgraded as (

    select distinct trials.user_key
    from trials
    inner join marts.user_traits_history
        on
            trials.user_key = user_traits_history.user_key
            and trials.signed_up_at < user_traits_history.valid_from
            and user_traits_history.valid_from <= trials.signed_up_at + interval '30' day
    where (user_traits_history.traits ->> 'plan_type') in ('pro', 'enterprise')

),

months as (

    select
        cast(date_trunc('month', trials.signed_up_date) as date) as signed_up_month,
        count(*) as trials,
        count(upgraded.user_key) as upgraded
    from trials
    left join upgraded
        on trials.user_key = upgraded.user_key
    group by signed_up_month

),

intervals as (

    select
        *,
        1.0 * upgraded / trials as rate,
        upgraded + 1.920729 as centre,
        1.959964 * sqrt(1.0 * upgraded * (trials - upgraded) / trials + 0.960365) as width,
        trials + 3.841459 as weight
    from months

)

select
    signed_up_month,
    trials,
    upgraded,
    round(rate, 3) as rate,
    round(greatest(0, centre - width) / weight, 3) as low,
    round((centre + width) / weight, 3) as high
from intervals
order by signed_up_month
limit 10
