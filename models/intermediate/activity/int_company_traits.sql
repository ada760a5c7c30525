-- one row per (app_token, company_id) with traits: the merged traits of its identify_company events
with

identify_events as (

    select * from {{ ref('events') }}
    where event_type = 'identify_company'

),

final as (

    {{ merge_traits('identify_events', 'company_id') | indent(4) }}

)

select * from final
