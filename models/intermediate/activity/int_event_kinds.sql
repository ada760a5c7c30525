-- one row per (occurred_date, kind_id): what was done on a date, whoever did it
{{ config(materialized='table', meta={'cut': {'by': 'date', 'parents': ['events']}}) }}
with

events as (

    select
        *,
        {{ viewed_page() }} as page
    from {{ ref('events') }}

),

kinds as (

    select
        occurred_date,
        {{ kind_columns() | join(',\n        ') }},
        count(case when not is_future_dated then 1 end) as present_event_count
    from events
    group by occurred_date, {{ kind_columns() | join(', ') }}

),

final as (

    select
        occurred_date,
        {{ digest_number(surrogate_key(kind_columns())) }} as kind_id,
        {{ kind_columns() | join(',\n        ') }},
        coalesce(
            case event_type
                when 'page_view' then 'Viewed ' || coalesce(page, '(unknown page)')
                when 'track' then event_name
                when 'track_feature' then event_name
                when 'interaction' then event_name
                when 'session_start' then 'Session start'
                else event_type || ': ' || event_name
            end,
            event_type
        ) as event,
        event_type = 'track_feature' and event_name is not null as is_feature,
        present_event_count
    from kinds

)

select * from final
