-- one row: the date that stands for now, that of the latest event which is not future-dated
{{ config(materialized='table') }}
with

final as (

    select max(occurred_date) as as_of_date
    from {{ ref('int_event_kinds') }}
    where present_event_count > 0

)

select * from final
