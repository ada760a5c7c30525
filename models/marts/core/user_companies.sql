-- one row per (app_token, user_id, stay_number): a user's stay in one company
{{ config(meta={'cut': {'by': 'user', 'parents': ['events', 'int_company_user_days']}}) }}
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where user_id is not null and company_id is not null

),

companies as (

    select
        app_token,
        user_id,
        company_id,
        min(first_event_at) as first_at
    from {{ ref('int_company_user_days') }}
    where user_id is not null and company_id is not null
    group by app_token, user_id, company_id

),

users as (

    select
        app_token,
        user_id,
        count(*) as company_count,
        min(company_id) as company_id,
        min(first_at) as first_at
    from companies
    group by app_token, user_id

),

-- Most users have one company all along, and their events need no order.
compared as (

    select
        *,
        lag(company_id) over (
            partition by app_token, user_id
            order by {{ event_order() | join(', ') }}
        ) as previous_company_id
    from events
    where
        (app_token, user_id) in (
            select
                users.app_token,
                users.user_id
            from users
            where users.company_count > 1
        )

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

stays as (

    select
        app_token,
        user_id,
        company_id,
        1 as stay_number,
        first_at as valid_from,
        null as valid_to
    from users
    where company_count = 1
    union all
    select
        app_token,
        user_id,
        company_id,
        stay_number,
        occurred_at as valid_from,
        lead(occurred_at) over (
            partition by app_token, user_id
            order by stay_number
        ) as valid_to
    from moves

),

final as (

    select
        {{ surrogate_key(['app_token', 'user_id', 'cast(stay_number as varchar)']) }}
            as user_company_key,
        app_token,
        user_id,
        {{ user_key() }} as user_key,
        company_id,
        {{ company_key() }} as company_key,
        stay_number,
        valid_from,
        valid_to
    from stays

)

select * from final
