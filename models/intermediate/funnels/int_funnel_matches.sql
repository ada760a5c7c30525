-- one row per (funnel, app_token, user_id, step, matched_at): an event that fits a step;
-- step 0 stands for the funnel's exclusions
with

events as (

    select * from {{ ref('events') }}
    where user_id is not null

),

interactions as (

    select * from {{ ref('interactions') }}
    where user_id is not null

),

funnels as (

    select * from {{ ref('funnels') }}

),

events_with_entities as (

    select
        events.app_token,
        events.user_id,
        events.occurred_at,
        events.event_type,
        events.event_name,
        interactions.entity_type,
        interactions.entity_id,
        interactions.interaction_status
    from events
    left join interactions on events.event_key = interactions.event_key

),

final as (

    select distinct
        funnels.funnel,
        case when coalesce(funnels.is_exclusion, false) then 0 else funnels.step end as step,
        events_with_entities.app_token,
        events_with_entities.user_id,
        events_with_entities.occurred_at as matched_at
    from events_with_entities
    inner join funnels
        on
            {{ matches_cell('events_with_entities.event_type', 'funnels.event_type') }}
            and {{ matches_cell('events_with_entities.event_name', 'funnels.event_name') }}
            and {{ matches_cell('events_with_entities.entity_type', 'funnels.entity_type') }}
            and {{ matches_cell('events_with_entities.entity_id', 'funnels.entity_id') }}
            and {{ matches_cell(
                'events_with_entities.interaction_status', 'funnels.interaction_status'
            ) }}

)

select * from final
