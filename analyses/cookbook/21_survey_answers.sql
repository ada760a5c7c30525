-- What do people use the product for?
-- Each user's latest answer to the multiple-choice question of survey 13, named by
-- `seeds/content.csv`; an answer that is no single known option is `(other)`. With 30 answers a
-- share is good to 10 to 20 points: this gives an order of things, no measurement.
with

answers as (

    select
        user_key,
        coalesce(answer_name, '(other)') as answer
    from marts.survey_responses
    where
        app_token = 'NX-44A1B2C3'
        and survey_id = '13'
        and module_id = '49'
        and is_latest

)

select
    answer,
    count(*) as users,
    round(1.0 * count(*) / sum(count(*)) over (), 3) as answer_share
from answers
group by answer
order by users desc, answer asc
limit 10
