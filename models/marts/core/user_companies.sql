-- one row per (app_token, user_id, stay_number): a user's stay in one company
{{ config(meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

events as (

    select * from {{ ref('events') }}
    where user_id is not null and company_id is not null

),

compared as (

    select
        *,
        lag(company_id) over (
            partition by app_token, user_id
            order by {{ event_order() | join(', ') }}
        ) as previous_company_id
    from events

),

moves as (

    select
        *,
        row_number() over (
            partition by app_token, user_id
            order by {{ event_order() | join(', ') }}
        ) as stay_number
    from compared
    where previous_company_id is null or previous_company_id <> company_id

),

final as (

    select
        {{ surrogate_key(['app_token', 'user_id', 'cast(stay_number as varchar)']) }}
            as user_company_key,
        app_token,
        user_id,
        user_key,
        company_id,
        company_key,
        stay_number,
        occurred_at as valid_from,
        lead(occurred_at) over (
            partition by app_token, user_id
            order by stay_number
        ) as valid_to
    from moves

)

select * from final
