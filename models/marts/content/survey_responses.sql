-- one row per COMPLETED event of a survey module
with

answers as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'survey' and part_id is not null and interaction_status = 'COMPLETED'

),

options as (

    select * from {{ ref('content') }}
    where entity_type = 'survey_option'

),

ranked as (

    select
        *,
        row_number() over (
            partition by app_token, part_id, user_id
            order by {{ interaction_order() | join(' desc, ') }} desc
        ) as recency
    from answers

),

final as (

    select
        ranked.event_key,
        ranked.app_token,
        ranked.whole_id as survey_id,
        {{ entity_key('whole_id', 'ranked') | indent(8) }} as survey_key,
        ranked.part_id as module_id,
        {{ surrogate_key(['ranked.app_token', 'ranked.whole_id', 'ranked.part_id']) }}
            as survey_question_key,
        ranked.user_id,
        {{ user_key('ranked') }} as user_key,
        ranked.occurred_at as answered_at,
        ranked.feedback as answer,
        case
            when ranked.part_id = coalesce(options.parent_id, ranked.part_id) then options.name
        end as answer_name,
        ranked.user_id is not null and ranked.recency = 1 as is_latest
    from ranked
    left join options
        on
            ranked.app_token = options.app_token
            and ranked.feedback = options.entity_id

)

select * from final
