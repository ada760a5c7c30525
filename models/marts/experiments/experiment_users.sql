-- one row per (app_token, experiment_id, user_id) exposed to a variant
{{ config(meta={'cut': {'by': 'user', 'parents': ['interactions', 'events', 'user_companies']}}) }}
with

exposures as (

    select
        *,
        entity_id as experiment_id
    from {{ ref('interactions') }}
    where entity_type = 'experiment' and user_id is not null and variant is not null

),

goals as (

    select * from {{ ref('int_experiments__goals') }}

),

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where user_id is not null

),

user_companies as (

    select * from {{ ref('user_companies') }}

),

exposed_users as (

    select
        app_token,
        experiment_id,
        user_id,
        user_key,
        {{ earliest('variant') }} as first_variant,
        {{ join_distinct('variant', '+') }} as variants,
        min(variant) <> max(variant) as is_contaminated,
        min(occurred_at) as exposed_at,
        min(case when interaction_status = 'COMPLETED' then occurred_at end) as completed_at
    from exposures
    group by app_token, experiment_id, user_id, user_key

),

names as (

    select
        event_type,
        event_name
    from {{ ref('int_event_kinds') }}
    group by event_type, event_name

),

-- To hold each name against the goals once is cheaper than each event.
goal_names as (

    select
        goals.*,
        names.event_type,
        names.event_name
    from goals
    inner join names
        on
            {{ matches_cell('names.event_type', 'goals.goal_event_type') }}
            and {{ matches_cell('names.event_name', 'goals.goal_event_name') }}

),

reached_goals as (

    select
        exposed_users.app_token,
        exposed_users.experiment_id,
        exposed_users.user_id,
        min(events.occurred_at) as reached_at
    from exposed_users
    inner join goal_names
        on
            exposed_users.app_token = goal_names.app_token
            and exposed_users.experiment_id = goal_names.experiment_id
    inner join events
        on
            exposed_users.app_token = events.app_token
            and exposed_users.user_id = events.user_id
            and goal_names.event_type = events.event_type
            and goal_names.event_name is not distinct from events.event_name
            and exposed_users.exposed_at <= events.occurred_at
            and (
                goal_names.goal_window_days is null
                or {{ add_seconds(
                    'exposed_users.exposed_at',
                    'cast(goal_names.goal_window_days as bigint) * 86400',
                ) }} >= events.occurred_at
            )
    group by exposed_users.app_token, exposed_users.experiment_id, exposed_users.user_id

),

final as (

    select
        ---------- ids
        {{ surrogate_key([
            'exposed_users.app_token', 'exposed_users.experiment_id', 'exposed_users.user_id',
        ]) }} as experiment_user_key,
        exposed_users.app_token,
        exposed_users.experiment_id,
        exposed_users.user_id,
        exposed_users.user_key,
        user_companies.company_id,
        user_companies.company_key,

        ---------- text
        exposed_users.first_variant,
        exposed_users.variants,

        ---------- booleans
        exposed_users.is_contaminated,

        ---------- times
        exposed_users.exposed_at,
        exposed_users.completed_at,
        case
            when goals.experiment_id is not null then reached_goals.reached_at
            else exposed_users.completed_at
        end as converted_at

    from exposed_users
    left join goals
        on
            exposed_users.app_token = goals.app_token
            and exposed_users.experiment_id = goals.experiment_id
    left join reached_goals
        on
            exposed_users.app_token = reached_goals.app_token
            and exposed_users.experiment_id = reached_goals.experiment_id
            and exposed_users.user_id = reached_goals.user_id
    left join user_companies
        on {{ valid_at('user_companies', 'exposed_users', 'exposed_at') }}

)

select * from final
