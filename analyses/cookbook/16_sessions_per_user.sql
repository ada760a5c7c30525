-- How many sessions does a user have in four weeks?
-- Users with a session that began in the last 28 dates, by the number they had. The spread says
-- more than a mean, which the few with many sessions pull up. A session is what Userpilot numbers
-- as one, and may pause for hours; `visit_count` of `sessions` splits it at such pauses.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

user_sessions as (

    select
        sessions.user_key,
        count(*) as sessions
    from marts.sessions
    cross join as_of
    where
        sessions.app_token = 'NX-44A1B2C3'
        and sessions.started_date > as_of.as_of_date - interval '28' day
        and sessions.started_date <= as_of.as_of_date
    group by sessions.user_key

),

bands as (

    select
        *,
        case
            when sessions = 1 then '1'
            when sessions = 2 then '2'
            when sessions <= 5 then '3 to 5'
            when sessions <= 10 then '6 to 10'
            else '11 and more'
        end as band
    from user_sessions

)

select
    band as sessions_per_user,
    count(*) as users,
    round(1.0 * count(*) / sum(count(*)) over (), 3) as share_of_users,
    round(1.0 * sum(sessions) / sum(sum(sessions)) over (), 3) as share_of_sessions
from bands
group by band
order by min(sessions)
limit 10
