-- Which features does each plan use most?
-- The two features with most users in the last 28 dates, as a share of the plan's users who were
-- active in them. The plan is that of the user's company today. Between plans of some dozen users
-- differences below twenty points are within chance.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

user_plans as (

    select
        users.user_key,
        coalesce(companies.plan, '(none)') as plan
    from marts.users
    left join marts.companies
        on users.company_key = companies.company_key
    where users.app_token = 'NX-44A1B2C3'

),

active_users as (

    select
        user_plans.plan,
        count(distinct user_days.user_key) as active_users
    from marts.user_days
    cross join as_of
    inner join user_plans
        on user_days.user_key = user_plans.user_key
    where
        user_days.activity_date > as_of.as_of_date - interval '28' day
        and user_days.activity_date <= as_of.as_of_date
    group by user_plans.plan

),

feature_users as (

    select
        user_plans.plan,
        feature_events.feature_id,
        max(feature_events.feature_name) as feature_name,
        count(distinct feature_events.user_key) as feature_users
    from marts.feature_events
    cross join as_of
    inner join user_plans
        on feature_events.user_key = user_plans.user_key
    where
        feature_events.is_activity
        and feature_events.occurred_date > as_of.as_of_date - interval '28' day
        and feature_events.occurred_date <= as_of.as_of_date
    group by user_plans.plan, feature_events.feature_id

),

ranked_features as (

    select
        feature_users.*,
        active_users.active_users,
        row_number() over (
            partition by feature_users.plan
            order by feature_users.feature_users desc, feature_users.feature_id asc
        ) as place
    from feature_users
    inner join active_users
        on feature_users.plan = active_users.plan

)

select
    plan,
    active_users,
    place,
    coalesce(feature_name, feature_id) as feature,
    feature_users as users,
    round(1.0 * feature_users / active_users, 3) as adoption_rate
from ranked_features
where place <= 2
order by active_users desc, plan asc, place asc
limit 10
