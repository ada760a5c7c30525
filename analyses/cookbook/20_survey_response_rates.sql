-- How many answer a survey, and how many give up?
-- Users who saw, answered and dismissed each question. The second question is seen by those only
-- who got past the first, so that its rate is not the survey's, which stands beside it. With some
-- 30 users a rate is good to about 15 points, and those who answer are no random sample.
select
    surveys.survey_id,
    survey_questions.question_number,
    survey_questions.question,
    survey_questions.seen_users,
    survey_questions.completed_users as answered_users,
    survey_questions.dismissed_users,
    round(survey_questions.response_rate, 3) as response_rate,
    round(surveys.response_rate, 3) as survey_response_rate
from marts.survey_questions
inner join marts.surveys
    on
        survey_questions.app_token = surveys.app_token
        and survey_questions.survey_id = surveys.survey_id
where survey_questions.app_token = 'NX-44A1B2C3'
order by surveys.survey_id, survey_questions.question_number, survey_questions.module_id
limit 10
