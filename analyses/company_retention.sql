-- one row per (app_token, cohort_date, week_n): companies by the week of their first activity, and
-- how many of them were active again N weeks later
with

company_weeks as (

    {{ retention(ref('company_days'), id='company_id', period='week', longest=12) }}

),

final as (

    select
        app_token,
        cohort_date,
        period_n as week_n,
        cohort_users as companies,
        retained_users as retained_companies,
        {{ safe_divide('retained_users', 'cohort_users') }} as rate
    from company_weeks

)

select * from final
order by app_token, cohort_date, week_n
