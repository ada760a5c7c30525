-- one row per (app_token, user_id, activity_date) with activity
{{ config(meta={'cut': {'by': 'date', 'parents': ['events'], 'date': 'activity_date'}}) }}
with

events as (

    select * from {{ ref('events') }}
    where user_id is not null

),

days as (

    select
        app_token,
        user_id,
        occurred_date as activity_date,
        {{ day_counts() }}
    from events
    group by app_token, user_id, occurred_date
    having count(case when is_activity then 1 end) > 0

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
