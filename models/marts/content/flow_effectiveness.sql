-- one row per (app_token, flow_id) with any event of the flow or of a step of it: what its viewers
-- did afterwards, and what users who did not see it did
{% set days = var('effectiveness_days') %}
with

as_of as (

    select * from {{ ref('int_as_of_date') }}

),

flow_events as (

    select
        app_token,
        whole_id as flow_id,
        {{ user_key() }} as user_key,
        {{ date_in_zone('occurred_at') }} as event_date
    from {{ ref('int_content_events') }}
    where whole_type = 'experience' and whole_id is not null and user_id is not null

),

viewers as (

    select
        flow_events.app_token,
        flow_events.flow_id,
        flow_events.user_key,
        min(flow_events.event_date) as index_date,
        max(flow_events.event_date) as last_date
    from flow_events
    inner join as_of on flow_events.event_date <= as_of.as_of_date
    group by flow_events.app_token, flow_events.flow_id, flow_events.user_key

),

runs as (

    select
        app_token,
        flow_id,
        min(index_date) as first_date,
        max(last_date) as last_date
    from viewers
    group by app_token, flow_id

),

active_days as (

    select
        app_token,
        user_key,
        activity_date,
        tracked_event_count + feature_event_count as event_count,
        lag(activity_date) over (partition by user_key order by activity_date) as previous_date
    from {{ ref('user_days') }}

),

-- The one active day of a user on or after the run's first date that has none between them.
comparison_users as (

    select
        runs.app_token,
        runs.flow_id,
        active_days.user_key,
        active_days.activity_date as index_date
    from runs
    inner join active_days
        on
            runs.app_token = active_days.app_token
            and runs.first_date <= active_days.activity_date
            and runs.last_date >= active_days.activity_date
            and (
                active_days.previous_date is null
                or runs.first_date > active_days.previous_date
            )
    left join viewers
        on
            runs.app_token = viewers.app_token
            and runs.flow_id = viewers.flow_id
            and active_days.user_key = viewers.user_key
    where viewers.user_key is null

),

both_sides as (

    select
        app_token,
        flow_id,
        user_key,
        index_date,
        true as is_viewer
    from viewers
    union all
    select
        app_token,
        flow_id,
        user_key,
        index_date,
        false as is_viewer
    from comparison_users

),

compared_users as (

    select both_sides.*
    from both_sides
    inner join as_of on both_sides.index_date + {{ days }} <= as_of.as_of_date

),

-- Windows of several flows that begin on one date are one.
windows as (

    select
        user_key,
        index_date
    from compared_users
    group by user_key, index_date

),

returns as (

    select
        windows.user_key,
        windows.index_date,
        sum(active_days.event_count) as event_count
    from windows
    inner join active_days
        on
            windows.user_key = active_days.user_key
            and windows.index_date < active_days.activity_date
            and windows.index_date + {{ days }} >= active_days.activity_date
    group by windows.user_key, windows.index_date

),

outcomes as (

    select
        compared_users.*,
        returns.user_key is not null as has_returned,
        coalesce(returns.event_count, 0) as event_count
    from compared_users
    left join returns
        on
            compared_users.user_key = returns.user_key
            and compared_users.index_date = returns.index_date

),

summed as (

    select
        app_token,
        flow_id,
        count(case when is_viewer then 1 end) as viewer_users,
        count(case when not is_viewer then 1 end) as comparison_users,
        count(case when is_viewer and has_returned then 1 end) as viewer_returned_users,
        count(case when not is_viewer and has_returned then 1 end) as comparison_returned_users,
        sum(case when is_viewer then event_count end) as viewer_events,
        sum(case when not is_viewer then event_count end) as comparison_events
    from outcomes
    group by app_token, flow_id

),

-- A flow that nobody's whole window has passed for has a row too.
counted as (

    select
        flows.flow_key,
        flows.app_token,
        flows.flow_id,
        flows.flow_name,
        summed.viewer_events,
        summed.comparison_events,
        coalesce(summed.viewer_users, 0) as viewer_users,
        coalesce(summed.comparison_users, 0) as comparison_users,
        coalesce(summed.viewer_returned_users, 0) as viewer_returned_users,
        coalesce(summed.comparison_returned_users, 0) as comparison_returned_users
    from {{ ref('flows') }} as flows
    left join summed
        on flows.app_token = summed.app_token and flows.flow_id = summed.flow_id

),

rated as (

    select
        *,
        {{ safe_divide('viewer_returned_users', 'viewer_users') }} as viewer_return_rate,
        {{ safe_divide('comparison_returned_users', 'comparison_users') }}
            as comparison_return_rate
    from counted

),

final as (

    select
        flow_key as flow_effectiveness_key,
        app_token,
        flow_id,
        flow_name,
        cast({{ days }} as bigint) as window_days,
        viewer_users,
        comparison_users,
        viewer_returned_users,
        comparison_returned_users,
        viewer_return_rate,
        comparison_return_rate,
        viewer_return_rate - comparison_return_rate as difference,
        {{ newcombe_low(
            'viewer_returned_users', 'viewer_users',
            'comparison_returned_users', 'comparison_users'
        ) }} as difference_low,
        {{ newcombe_high(
            'viewer_returned_users', 'viewer_users',
            'comparison_returned_users', 'comparison_users'
        ) }} as difference_high,
        {{ safe_divide('viewer_events', 'viewer_users') }} as viewer_events_per_user,
        {{ safe_divide('comparison_events', 'comparison_users') }} as comparison_events_per_user
    from rated

)

select * from final
