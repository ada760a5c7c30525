-- one row per event that may be a step of a path or its anchor
with

events as (

    select * from {{ ref('events') }}

),

final as (

    select
        *,
        case when event_type = 'page_view' then coalesce(pathname, hostname) end as page
    from events
    where
        user_id is not null
        and session is not null
        and is_activity
        and event_type not in ('identify_user', 'identify_company')

)

select * from final
