-- one row per (app_token, company_id, user_id, occurred_date): the events of a date that carry the
-- company, or none, and are of the user, or of nobody
{{ config(materialized='table', meta={'cut': {'by': 'date', 'parents': ['events']}}) }}
with

days as (

    select
        app_token,
        company_id,
        user_id,
        occurred_date,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        {{ day_counts() }},
        count(case when is_activity then 1 end) as active_event_count
    from {{ ref('events') }}
    group by app_token, company_id, user_id, occurred_date

),

final as (

    select
        *,
        {{ company_key() }} as company_key
    from days

)

select * from final
