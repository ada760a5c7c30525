-- one row per (app_token, reason, rule) that removed an event
with

removed as (

    select * from {{ ref('int_events__judged') }}
    where removal_reason is not null

),

final as (

    select
        {{ surrogate_key(['app_token', 'removal_reason', 'removal_rule']) }} as removal_key,
        app_token,
        removal_reason as reason,
        removal_rule as rule,
        count(*) as event_count,
        count(distinct user_id) as user_count,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from removed
    group by app_token, removal_reason, removal_rule

)

select * from final
