-- one row per (app_token, user_id, activity_date) with activity
{{ config(meta={
    'cut': {'by': 'date', 'parents': ['int_company_user_days'], 'date': 'activity_date'},
}) }}
with

days as (

    select
        app_token,
        user_id,
        occurred_date as activity_date,
        {{ sums_of_day_counts() }}
    from {{ ref('int_company_user_days') }}
    where user_id is not null
    group by app_token, user_id, occurred_date
    having sum(active_event_count) > 0

),

final as (

    select
        {{ user_key() }} || ':' || cast(activity_date as varchar) as user_day_key,
        app_token,
        user_id,
        {{ user_key() }} as user_key,
        activity_date,
        {{ day_count_types() | join(',\n        ') }}
    from days

)

select * from final
