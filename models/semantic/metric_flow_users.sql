-- one row per (app_token, flow_id, user_id) that has seen the flow
{{ config(schema='intermediate') }}
with

events as (

    select * from {{ ref('int_content_events') }}
    where
        whole_type = 'experience'
        and whole_id is not null
        and part_id is null
        and user_id is not null

),

viewers as (

    select
        app_token,
        whole_id as flow_id,
        user_id,
        {{ first_with_status('SEEN') }} as first_seen_at,
        {{ first_with_status('COMPLETED') }} is not null as is_completed
    from events
    group by app_token, whole_id, user_id

),

final as (

    select
        {{ surrogate_key(['app_token', 'flow_id', 'user_id']) }} as flow_user_key,
        {{ surrogate_key(['app_token', 'flow_id']) }} as flow_key,
        {{ user_key() }} as user_key,
        app_token,
        is_completed,
        {{ date_in_zone('first_seen_at') }} as first_seen_date
    from viewers
    where first_seen_at is not null

)

select * from final
