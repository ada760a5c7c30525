-- one row per interaction event
{{ config(materialized='view') }}
with

interactions as (

    select
        events.*,
        kinds.*
    from {{ ref('int_interactions') }} as events
    inner join {{ ref('int_interaction_kinds') }} as kinds
        on events.interaction_kind_key = kinds.kind_key

),

final as (

    select
        ---------- ids
        {{ event_key('occurred_at') | indent(8) }} as event_key,
        app_token,
        internal_event_id,
        user_id,
        {{ user_key() }} as user_key,
        company_id,
        {{ company_key() }} as company_key,
        session,
        {{ session_key() }} as session_key,
        entity_id,
        parent_id,
        interaction_id,
        submission_id,

        ---------- text
        event_name,
        source,
        entity_type,
        interaction_status,
        metadata_status,
        parent_type,
        feedback,
        survey_question,
        follow_up_question,
        variant,
        article_title,
        article_url,
        score_text,
        metadata,

        ---------- numbers
        score,
        total_dismissed,

        ---------- booleans
        is_dismissed,
        never_show_again,
        is_activity,
        is_future_dated,

        ---------- times
        occurred_at,
        occurred_date

    from interactions

)

select * from final
