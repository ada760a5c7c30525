-- one row per (app_token, company_id): NPS over the responses that its users gave while in it
with

company_scores as (

    {{ nps(by=['app_token', 'company_id']) }}

),

companies as (

    select * from {{ ref('companies') }}

),

final as (

    select
        company_scores.app_token,
        company_scores.company_id,
        companies.company_name,
        company_scores.responses,
        company_scores.promoters,
        company_scores.passives,
        company_scores.detractors,
        company_scores.nps,
        company_scores.margin_of_error_95,
        company_scores.average_score
    from company_scores
    -- Responses of users who were in no company drop out here.
    inner join companies
        on
            company_scores.app_token = companies.app_token
            and company_scores.company_id = companies.company_id

)

select * from final
order by app_token, company_id
