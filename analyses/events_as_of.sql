-- one row per tracked event, with the user's company and the traits of both at the time
with

tracked_events as (

    select * from {{ ref('tracked_events') }}

),

final as (

    {{ join_as_of('tracked_events') }}

)

select * from final
