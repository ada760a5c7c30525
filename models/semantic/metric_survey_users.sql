-- one row per (app_token, survey_id, user_id) with any event of a module of the survey
{{ config(schema='intermediate') }}
with

events as (

    select * from {{ ref('int_content_events') }}
    where
        whole_type = 'survey'
        and whole_id is not null
        and part_id is not null
        and user_id is not null

),

shown as (

    select
        app_token,
        whole_id as survey_id,
        user_id,
        min(occurred_at) as first_shown_at,
        {{ first_with_status('SEEN') }} is not null as is_seen,
        {{ first_with_status('COMPLETED') }} is not null as is_completed
    from events
    group by app_token, whole_id, user_id

),

final as (

    select
        {{ surrogate_key(['app_token', 'survey_id', 'user_id']) }} as survey_user_key,
        {{ surrogate_key(['app_token', 'survey_id']) }} as survey_key,
        {{ user_key() }} as user_key,
        app_token,
        is_seen,
        is_completed,
        {{ date_in_zone('first_shown_at') }} as first_shown_date
    from shown

)

select * from final
