-- one row: the date that stands for now, that of the latest event which is not future-dated
{{ config(materialized='maintained') }}
with

events as (

    select * from {{ ref('events') }}
    where not is_future_dated

),

final as (

    select max(occurred_date) as as_of_date
    from events

)

select * from final
