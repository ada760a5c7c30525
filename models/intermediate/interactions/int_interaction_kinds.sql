-- one row per (event_name, metadata) of interaction events: what such an interaction says
{{ config(materialized='table') }}
with

kinds as (

    select * from {{ ref('int_interactions__unpacked') }}

),

final as (

    select
        ---------- ids
        md5({{ surrogate_key(['event_name', 'cast(metadata as varchar)']) }}) as kind_key,
        entity_id,
        {{ parent_id('attribute_parent_id') }} as parent_id,
        attribute_interaction_id as interaction_id,
        attribute_submission_id as submission_id,

        ---------- text
        event_name,
        entity_type,
        interaction_status,
        attribute_status as metadata_status,
        {{ parent_type('attribute_parent_id') }} as parent_type,
        attribute_feedback as feedback,
        attribute_survey_question as survey_question,
        attribute_follow_up_question as follow_up_question,
        attribute_variant as variant,
        attribute_article_title as article_title,
        attribute_article_url as article_url,
        nullif({{ json_text('metadata', 'score') }}, '') as score_text,
        metadata,

        ---------- numbers
        {{ strict_integer('attribute_score') }} as score,
        {{ strict_integer('attribute_total_dismissed') }} as total_dismissed,

        ---------- booleans
        {{ strict_boolean('attribute_is_dismissed') }} as is_dismissed,
        {{ strict_boolean('attribute_never_show_again') }} as never_show_again

    from kinds

)

select * from final
