-- one row per (app_token, company_id, activity_date) with activity that carries the company
with

events as (

    select * from {{ ref('events') }}
    where company_id is not null

),

final as (

    select
        company_key || ':' || cast(occurred_date as varchar) as company_day_key,
        min(app_token) as app_token,
        min(company_id) as company_id,
        company_key,
        occurred_date as activity_date,
        count(distinct case when is_activity then user_id end) as active_user_count,
        {{ day_counts() }}
    from events
    group by company_key, occurred_date
    having count(case when is_activity then 1 end) > 0

)

select * from final
