-- one row per (app_token, whole_type, whole_id, part_id) with an event: its name and its place
with

events as (

    select * from {{ ref('int_content_events') }}
    where part_id is not null

),

parts as (

    select
        app_token,
        whole_type,
        whole_id,
        part_id,
        min(name) as name,
        min(position) as position,
        min(question_type) as question_type
    from events
    group by app_token, whole_type, whole_id, part_id

),

ordered as (

    select
        *,
        row_number() over (
            partition by app_token, whole_type, whole_id
            order by {{ natural_order('part_id') | join(', ') }}
        ) as natural_number
    from parts

),

final as (

    select
        app_token,
        whole_type,
        whole_id,
        part_id,
        name,
        question_type,
        natural_number,
        coalesce(cast(nullif(position, 0) as bigint), natural_number) as part_number
    from ordered

)

select * from final
