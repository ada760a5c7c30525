-- one row per (app_token, feature_id) that was used
with

feature_events as (

    select
        events.*,
        as_of.as_of_date
    from {{ ref('feature_events') }} as events
    cross join {{ ref('int_as_of_date') }} as as_of
    where events.feature_id is not null

),

active_users as (

    select
        app_token,
        count(distinct user_id) as user_count
    from {{ ref('user_days') }}
    group by app_token

),

counted as (

    select
        app_token,
        feature_id,
        min(feature_name) as feature_name,
        {{ use_counts('used') }}
    from feature_events
    group by app_token, feature_id

),

final as (

    select
        {{ surrogate_key(['counted.app_token', 'counted.feature_id']) }} as feature_key,
        counted.*,
        {{ safe_divide('counted.user_count', 'active_users.user_count') }} as adoption_rate
    from counted
    left join active_users on counted.app_token = active_users.app_token

)

select * from final
