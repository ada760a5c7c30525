-- one row per interaction event, with the key of what it says
{{ config(materialized='table', meta={'cut': {'by': 'date', 'parents': ['events']}}) }}
with

events as (

    select * from {{ ref('events') }}
    where event_type = 'interaction'

),

kinds as (

    select * from {{ ref('int_interaction_kinds') }}

),

final as (

    select
        events.app_token,
        events.internal_event_id,
        events.user_id,
        events.company_id,
        events.session,
        events.event_type,
        kinds.kind_key as interaction_kind_key,
        events.source,
        events.is_activity,
        events.is_future_dated,
        events.occurred_at,
        events.occurred_date
    from events
    inner join kinds
        on
            events.event_name is not distinct from kinds.event_name
            and events.metadata is not distinct from kinds.metadata

)

select * from final
