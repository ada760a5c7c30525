-- one row per (app_token, user_id, stay_number): a user's stay in one company
{{ config(meta={'cut': {'by': 'user', 'parents': ['events']}}) }}
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where user_id is not null and company_id is not null

),

companies as (

    select
        app_token,
        user_id,
        min(company_id) < max(company_id) as are_several,
        min(occurred_at) as first_at
    from events
    group by app_token, user_id

),

-- Most users have one company all along: the first of their events tells all there is.
telling as (

    select events.*
    from events
    inner join companies
        on events.app_token = companies.app_token and events.user_id = companies.user_id
    where companies.are_several or events.occurred_at = companies.first_at

),

compared as (

    select
        *,
        lag(company_id) over (
            partition by app_token, user_id
            order by {{ event_order() | join(', ') }}
        ) as previous_company_id
    from telling

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
        {{ user_key() }} as user_key,
        company_id,
        {{ company_key() }} as company_key,
        stay_number,
        occurred_at as valid_from,
        lead(occurred_at) over (
            partition by app_token, user_id
            order by stay_number
        ) as valid_to
    from moves

)

select * from final
