-- Who are the champions of our biggest companies?
-- The two users of each of the five biggest companies with most active days among the last 28;
-- users count for the company they are in now. Active days say who is there often, not who is
-- content: the latest score stands beside them, empty where none was ever given.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

biggest_companies as (

    select
        company_key,
        company_id,
        company_name,
        current_user_count
    from marts.companies
    where app_token = 'NX-44A1B2C3'
    order by current_user_count desc, company_id asc
    limit 5

),

active_days as (

    select
        user_days.user_key,
        count(*) as active_days
    from marts.user_days
    cross join as_of
    where
        user_days.activity_date > as_of.as_of_date - interval '28' day
        and user_days.activity_date <= as_of.as_of_date
    group by user_days.user_key

),

ranked_users as (

    select
        biggest_companies.company_id,
        biggest_companies.company_name,
        biggest_companies.current_user_count,
        users.user_id,
        users.latest_nps_score,
        active_days.active_days,
        row_number() over (
            partition by biggest_companies.company_key
            order by active_days.active_days desc, users.user_id asc
        ) as place
    from biggest_companies
    inner join marts.users
        on biggest_companies.company_key = users.company_key
    inner join active_days
        on users.user_key = active_days.user_key

)

select
    company_name,
    place,
    user_id,
    active_days,
    latest_nps_score
from ranked_users
where place <= 2
order by current_user_count desc, company_id asc, place asc
limit 10
