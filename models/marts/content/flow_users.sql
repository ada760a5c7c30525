-- one row per (app_token, flow_id, user_id) with any event of the flow or of a step of it
{{ config(meta={
    'cut': {'by': 'user', 'parents': ['int_content_events'], 'event_type': 'interaction'},
}) }}
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'experience' and whole_id is not null and user_id is not null

),

counted as (

    select
        app_token,
        whole_id as flow_id,
        user_id,
        min(case when part_id is null then occurred_at end) as first_shown_at,
        {{ first_with_status('COMPLETED', 'part_id is null') }} as completed_at,
        {{ first_with_status('DISMISSED', 'part_id is null') }} as dismissed_at,
        max(case when part_id is null then total_dismissed end) as total_dismissed
    from events
    group by app_token, whole_id, user_id

),

final as (

    select
        {{ surrogate_key(['app_token', 'flow_id', 'user_id']) }} as flow_user_key,
        app_token,
        flow_id,
        {{ surrogate_key(['app_token', 'flow_id']) }} as flow_key,
        user_id,
        {{ user_key() }} as user_key,
        first_shown_at,
        completed_at,
        dismissed_at,
        total_dismissed,
        {{ seconds_between('first_shown_at', 'completed_at') }} as seconds_to_complete
    from counted

)

select * from final
