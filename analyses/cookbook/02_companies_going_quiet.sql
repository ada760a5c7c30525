-- Which companies are going quiet?
-- Users active in the last 28 dates beside those of the 28 before, for companies that had five or
-- more and have lost at least half of them. Users are counted from events, since a user of several
-- days is one user: `active_user_count` of `company_days` must not be summed. Companies this small
-- halve by chance too: it is a list of whom to call, not a finding.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

company_users as (

    select
        events.company_key,
        count(distinct case
            when events.occurred_date <= as_of.as_of_date - interval '28' day
                then events.user_key
        end) as users_before,
        count(distinct case
            when events.occurred_date > as_of.as_of_date - interval '28' day
                then events.user_key
        end) as users_now,
        max(events.occurred_date) as last_active_date
    from marts.events
    cross join as_of
    where
        events.app_token = 'NX-44A1B2C3'
        and events.is_activity
        and events.occurred_date > as_of.as_of_date - interval '56' day
        and events.occurred_date <= as_of.as_of_date
    group by events.company_key

)

select
    companies.company_id,
    companies.company_name,
    companies.plan,
    company_users.users_before,
    company_users.users_now,
    round(1.0 * company_users.users_now / company_users.users_before - 1, 2) as relative_change,
    company_users.last_active_date
from company_users
inner join marts.companies
    on company_users.company_key = companies.company_key
where
    company_users.users_before >= 5
    and 2 * company_users.users_now <= company_users.users_before
order by
    company_users.users_before - company_users.users_now desc,
    companies.company_id
limit 10
