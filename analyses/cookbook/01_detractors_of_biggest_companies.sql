-- Who are the detractors of our biggest companies?
-- A user's latest score counts, and the company the user is in now; the biggest companies are the
-- five with most current users. The list names people: mind who reads it.
with

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

scored_responses as (

    select
        *,
        row_number() over (
            partition by user_key
            order by responded_at desc, nps_response_key desc
        ) as recency
    from marts.nps_responses
    where score is not null

)

select
    biggest_companies.company_name,
    biggest_companies.current_user_count as company_users,
    users.user_id,
    scored_responses.score,
    scored_responses.responded_date,
    scored_responses.feedback
from biggest_companies
inner join marts.users
    on biggest_companies.company_key = users.company_key
inner join scored_responses
    on users.user_key = scored_responses.user_key
where scored_responses.recency = 1 and scored_responses.category = 'detractor'
order by
    biggest_companies.current_user_count desc,
    biggest_companies.company_id asc,
    scored_responses.score asc,
    users.user_id asc
limit 10
