-- one row per (app_token, experiment_id) with a declared goal
with

declarations as (

    select * from {{ ref('experiments') }}

),

final as (

    select
        app_token,
        experiment_id,
        max(goal_event_type) as goal_event_type,
        max(goal_event_name) as goal_event_name,
        max(goal_window_days) as goal_window_days
    from declarations
    where goal_event_type is not null or goal_event_name is not null
    group by app_token, experiment_id

)

select * from final
