-- one row per (app_token, user_id, activity_date) with activity
{{ config(meta={'cut': {'by': 'date', 'parents': ['events'], 'date': 'activity_date'}}) }}
with

events as (

    select * from {{ ref('events') }}
    where user_id is not null

),

final as (

    select
        user_key || ':' || cast(occurred_date as varchar) as user_day_key,
        min(app_token) as app_token,
        min(user_id) as user_id,
        user_key,
        occurred_date as activity_date,
        {{ day_counts() }}
    from events
    group by user_key, occurred_date
    having count(case when is_activity then 1 end) > 0

)

select * from final
