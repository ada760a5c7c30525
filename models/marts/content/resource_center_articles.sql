-- one row per (app_token, resource_center_id, article_id) with an event
with

events as (

    select * from {{ ref('int_content_events') }}
    where whole_type = 'resource_center' and part_id is not null

),

counted as (

    select
        app_token,
        whole_id as resource_center_id,
        part_id as article_id,
        {{ latest('article_title') }} as article_title,
        {{ latest('article_url') }} as article_url,
        {{ users_with_status('ENGAGED') }} as engaged_users,
        count(case when interaction_status = 'ENGAGED' then 1 end) as engaged_event_count
    from events
    group by app_token, whole_id, part_id

),

final as (

    select
        {{ surrogate_key(['app_token', 'resource_center_id', 'article_id']) }}
            as resource_center_article_key,
        app_token,
        resource_center_id,
        {{ entity_key('resource_center_id') | indent(8) }} as resource_center_key,
        article_id,
        article_title,
        article_url,
        engaged_users,
        engaged_event_count
    from counted

)

select * from final
