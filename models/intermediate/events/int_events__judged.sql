-- one row per event, with the reason for which no mart counts it, if there is one
with

events as (

    select * from {{ ref('stg_userpilot__events') }}

),

removed_users as (

    select * from {{ ref('int_removed_users') }}

),

final as (

    select
        events.*,
        {{ removal('reason') }} as removal_reason,
        {{ removal('rule') }} as removal_rule
    from events
    left join removed_users
        on events.app_token = removed_users.app_token and events.user_id = removed_users.user_id

)

select * from final
