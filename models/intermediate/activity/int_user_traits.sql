-- one row per (app_token, user_id) with traits: the merged traits of its identify_user events
with

identify_events as (

    select * from {{ ref('events') }}
    where event_type = 'identify_user'

),

final as (

    {{ merge_traits('identify_events', 'user_id') | indent(4) }}

)

select * from final
