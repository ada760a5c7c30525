-- Who came back lately after a long time away?
-- Users active on one of the last 28 dates after 28 or more without activity. That is stricter than
-- `resurrected_users` of `daily_activity`, which counts everybody who was not active the day
-- before. A user who came back twice is listed once, with the last return.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

user_days as (

    select
        user_key,
        app_token,
        user_id,
        activity_date,
        lag(activity_date) over (
            partition by user_key
            order by activity_date
        ) as previous_date
    from marts.user_days

),

returns as (

    select
        user_days.user_key,
        user_days.user_id,
        user_days.activity_date as back_on,
        user_days.activity_date - user_days.previous_date - 1 as days_away,
        row_number() over (
            partition by user_days.user_key
            order by user_days.activity_date desc
        ) as recency
    from user_days
    cross join as_of
    where
        user_days.app_token = 'NX-44A1B2C3'
        and user_days.activity_date > as_of.as_of_date - interval '28' day
        and user_days.activity_date <= as_of.as_of_date
        and user_days.activity_date - user_days.previous_date > 28

)

select
    returns.user_id,
    companies.company_name,
    returns.days_away,
    returns.back_on,
    count(user_days.activity_date) as active_days_since
from returns
cross join as_of
inner join user_days
    on
        returns.user_key = user_days.user_key
        and returns.back_on <= user_days.activity_date
        and as_of.as_of_date >= user_days.activity_date
inner join marts.users
    on returns.user_key = users.user_key
left join marts.companies
    on users.company_key = companies.company_key
where returns.recency = 1
group by
    returns.user_id,
    companies.company_name,
    returns.days_away,
    returns.back_on
order by
    returns.days_away desc,
    returns.user_id asc
limit 10
