-- one row per (app_token, company_id, activity_date) with activity that carries the company
{{ config(meta={
    'cut': {'by': 'date', 'parents': ['int_company_user_days'], 'date': 'activity_date'},
}) }}
with

user_days as (

    select * from {{ ref('int_company_user_days') }}
    where company_id is not null

),

final as (

    select
        company_key || ':' || cast(occurred_date as varchar) as company_day_key,
        min(app_token) as app_token,
        min(company_id) as company_id,
        company_key,
        occurred_date as activity_date,
        count(case when active_event_count > 0 then user_id end) as active_user_count,
        {{ sums_of_day_counts() }}
    from user_days
    group by company_key, occurred_date
    having sum(active_event_count) > 0

)

select * from final
