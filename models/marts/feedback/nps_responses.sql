-- one row per (app_token, nps_id, user_id, submission_id)
{{ config(meta={'cut': {'by': 'user', 'parents': ['interactions', 'user_companies']}}) }}
with

submissions as (

    select
        *,
        entity_id as nps_id,
        coalesce(submission_id, cast(occurred_date as varchar)) as counted_submission_id,
        case when score between 0 and 10 then score end as valid_score
    from {{ ref('interactions') }}
    where
        entity_type = 'nps'
        and interaction_status in ('SUBMITTED_SCORE', 'SUBMITTED_FEEDBACK')
        and user_id is not null

),

user_companies as (

    select * from {{ ref('user_companies') }}

),

responses as (

    select
        app_token,
        nps_id,
        user_id,
        user_key,
        counted_submission_id as submission_id,
        {{ latest('valid_score') }} as score,
        {{ latest('feedback') }} as feedback,
        {{ latest('follow_up_question') }} as follow_up_question,
        {{ latest_at('valid_score') }} as responded_at,
        count(
            case when score_text is not null and valid_score is null then 1 end
        ) as invalid_score_count
    from submissions
    group by app_token, nps_id, user_id, user_key, counted_submission_id

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'nps'

),

final as (

    select
        ---------- ids
        {{ surrogate_key([
            'responses.app_token', 'responses.nps_id', 'responses.user_id',
            'responses.submission_id',
        ]) }} as nps_response_key,
        responses.app_token,
        responses.nps_id,
        responses.user_id,
        responses.user_key,
        responses.submission_id,
        user_companies.company_id,
        user_companies.company_key,

        ---------- text
        names.name as nps_name,
        case
            when responses.score >= 9 then 'promoter'
            when responses.score >= 7 then 'passive'
            when responses.score >= 0 then 'detractor'
        end as category,
        responses.feedback,
        responses.follow_up_question,

        ---------- numbers
        responses.score,
        responses.invalid_score_count,

        ---------- times
        responses.responded_at,
        {{ date_in_zone('responses.responded_at') }} as responded_date

    from responses
    left join user_companies
        on {{ valid_at('user_companies', 'responses', 'responded_at') }}
    left join names
        on responses.app_token = names.app_token and responses.nps_id = names.entity_id

)

select * from final
