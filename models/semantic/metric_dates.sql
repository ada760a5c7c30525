-- one row per date, from the first event to the as-of date, no gaps: the time spine of the metrics
{{ config(schema='intermediate', materialized='table') }}
with

kinds as (

    select * from {{ ref('int_event_kinds') }}
    where present_event_count > 0

),

as_of as (

    select * from {{ ref('int_as_of_date') }}

),

spans as (

    select
        min(kinds.occurred_date) as first_date,
        max(as_of.as_of_date) as last_date
    from kinds
    cross join as_of

),

dates as (

    {{ dates_between('spans', 'first_date', 'last_date', 'metric_date') | indent(4) }}

),

final as (

    select metric_date
    from dates

)

select * from final
