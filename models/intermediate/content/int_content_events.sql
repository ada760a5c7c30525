-- one row per interaction with content: a flow, checklist, survey, resource center or a part of one
{% set wholes = quoted_list(content_parts().values()) %}
{% set parts = quoted_list(content_parts()) %}
with

interactions as (

    select * from {{ ref('interactions') }}

),

content as (

    select * from {{ ref('content') }}

),

final as (

    select
        interactions.event_key,
        interactions.event_name,
        interactions.internal_event_id,
        interactions.app_token,
        interactions.user_id,
        case interactions.entity_type
            {%- for part, whole in content_parts().items() %}
                when '{{ part }}' then '{{ whole }}'
            {%- endfor %}
            else interactions.entity_type
        end as whole_type,
        case
            when interactions.entity_type in ({{ wholes }})
                then interactions.entity_id
            else coalesce(interactions.parent_id, content.parent_id)
        end as whole_id,
        case
            when interactions.entity_type not in ({{ wholes }})
                then interactions.entity_id
        end as part_id,
        content.name,
        content.position,
        content.question_type,
        interactions.interaction_status,
        interactions.feedback,
        interactions.survey_question,
        interactions.variant,
        interactions.article_title,
        interactions.article_url,
        interactions.total_dismissed,
        interactions.occurred_at
    from interactions
    left join content
        on
            interactions.app_token = content.app_token
            and interactions.entity_type = content.entity_type
            and interactions.entity_id = content.entity_id
    where
        interactions.entity_type in ({{ wholes }})
        or interactions.entity_type in ({{ parts }})

)

select * from final
