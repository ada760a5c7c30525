-- What is the NPS of each plan?
-- Each user's latest score, by the plan the user's company had when it was given. NPS is promoters
-- minus detractors, in points from -100 to 100, and never a mean of scores. The margin is that of
-- 95 %, for chance alone and not for who cares to answer; with fewer than some 30 responses it is a
-- rough guess. Plans whose margins overlap as widely as here do not differ.
with

scored_responses as (

    select
        *,
        row_number() over (
            partition by user_key
            order by responded_at desc, nps_response_key desc
        ) as recency
    from marts.nps_responses
    where
        app_token = 'NX-44A1B2C3'
        and nps_id = '1'
        and score is not null

),

plans as (

    select
        coalesce(company_traits_history.traits ->> 'plan', '(none)') as plan,
        count(*) as responses,
        count(case when scored_responses.category = 'promoter' then 1 end) as promoters,
        count(case when scored_responses.category = 'passive' then 1 end) as passives,
        count(case when scored_responses.category = 'detractor' then 1 end) as detractors
    from scored_responses
    left join marts.company_traits_history
        on
            scored_responses.company_key = company_traits_history.company_key
            and scored_responses.responded_at >= company_traits_history.valid_from
            and (
                company_traits_history.valid_to is null
                or scored_responses.responded_at < company_traits_history.valid_to
            )
    where scored_responses.recency = 1
    group by plan

),

shares as (

    select
        *,
        1.0 * promoters / responses as p,
        1.0 * detractors / responses as d
    from plans

)

select
    plan,
    responses,
    promoters,
    passives,
    detractors,
    round(100 * (p - d), 1) as nps,
    round(100 * 1.959964 * sqrt((p + d - (p - d) * (p - d)) / responses), 1) as margin_of_error_95
from shares
order by responses desc, plan asc
limit 10
