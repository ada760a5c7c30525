"""What the report asks of the published tables: aggregates only, whatever the number of events.

The periods are rows of the temporary table `windows`, so that each question is asked once for all
of them. A row's `app_token` (and `period`) says where it belongs; the other columns are the fields
of the structure of the same name in `facts`.
"""

TOP = 10
EVER = "all"


def _during(date: str) -> str:
    """Condition that a row belongs to a window; ever has all that the marts count, of any date."""
    return f"(period = '{EVER}' or {date} between first_date and last_date)"


AS_OF = "select max(occurred_date) as as_of_date from marts.events where not is_future_dated"

WINDOWS = """
create temporary table windows (
    period text, is_previous boolean, first_date date, last_date date
)
"""

APPS = """
with

event_counts as (

    select
        app_token,
        count(*) as events,
        min(case when not is_future_dated then occurred_date end) as first_date
    from marts.events
    group by app_token

),

user_counts as (

    select app_token, count(*) as users
    from marts.users
    group by app_token

),

company_counts as (

    select app_token, count(*) as companies
    from marts.companies
    group by app_token

),

session_counts as (

    select app_token, count(*) as sessions
    from marts.sessions
    group by app_token

)

select
    app_token,
    first_date,
    events,
    coalesce(users, 0) as users,
    coalesce(companies, 0) as companies,
    coalesce(sessions, 0) as sessions
from event_counts
left join user_counts using (app_token)
left join company_counts using (app_token)
left join session_counts using (app_token)
order by events desc, app_token
"""

FIGURES = """
with

active_users as (

    select app_token, period, is_previous, count(distinct user_id) as active_users
    from marts.user_days
    inner join windows on activity_date between first_date and last_date
    group by all

),

active_companies as (

    select app_token, period, is_previous, count(distinct company_id) as active_companies
    from marts.company_days
    inner join windows on activity_date between first_date and last_date
    group by all

),

activity as (

    select
        app_token,
        period,
        is_previous,
        sum(new_users) as new_users,
        avg(stickiness) as stickiness
    from marts.daily_activity
    inner join windows on activity_date between first_date and last_date
    group by all

),

sessions as (

    select app_token, period, is_previous, count(*) as sessions
    from marts.sessions
    inner join windows on started_date between first_date and last_date
    group by all

),

events_by_day as (

    select
        app_token,
        occurred_date,
        count(*) as events,
        count(case when event_type = 'page_view' then 1 end) as page_views
    from marts.events
    where not is_future_dated
    group by all

),

events as (

    select
        app_token,
        period,
        is_previous,
        sum(events) as events,
        sum(page_views) as page_views
    from events_by_day
    inner join windows on occurred_date between first_date and last_date
    group by all

)

select
    app_token,
    period,
    is_previous,
    coalesce(active_users, 0) as active_users,
    coalesce(new_users, 0) as new_users,
    stickiness,
    coalesce(active_companies, 0) as active_companies,
    coalesce(sessions, 0) as sessions,
    coalesce(page_views, 0) as page_views,
    events
from events
left join active_users using (app_token, period, is_previous)
left join active_companies using (app_token, period, is_previous)
left join activity using (app_token, period, is_previous)
left join sessions using (app_token, period, is_previous)
"""

DAYS = """
with

events as (

    select
        app_token,
        occurred_date as activity_date,
        count(*) as events,
        count(case when event_type = 'page_view' then 1 end) as page_views,
        count(case when event_type = 'track' then 1 end) as tracked_events,
        count(case when event_type = 'track_feature' then 1 end) as feature_events,
        count(case when event_type = 'interaction' then 1 end) as interactions
    from marts.events
    where not is_future_dated
    group by all

),

sessions as (

    select app_token, started_date as activity_date, count(*) as sessions
    from marts.sessions
    group by all

),

companies as (

    select app_token, activity_date, count(*) as active_companies
    from marts.company_days
    group by all

)

select
    app_token,
    activity_date,
    dau,
    wau,
    mau,
    stickiness,
    new_users,
    retained_users,
    resurrected_users,
    dormant_users,
    coalesce(active_companies, 0) as active_companies,
    coalesce(sessions, 0) as sessions,
    coalesce(events, 0) as events,
    coalesce(page_views, 0) as page_views,
    coalesce(tracked_events, 0) as tracked_events,
    coalesce(feature_events, 0) as feature_events,
    coalesce(interactions, 0) as interactions
from marts.daily_activity
left join events using (app_token, activity_date)
left join sessions using (app_token, activity_date)
left join companies using (app_token, activity_date)
where activity_date > cast(? as date) - cast(? as integer)
order by app_token, activity_date
"""

# The latest answer of each user in the period, as `marts.nps_scores` has it for months and ever.
NPS_FIGURES = f"""
with

answers as (

    select app_token, nps_id, period, is_previous, category
    from marts.nps_responses
    inner join windows on {_during("responded_date")}
    where category is not null
    qualify row_number() over (
        partition by app_token, nps_id, period, is_previous, user_id
        order by responded_at desc, submission_id desc
    ) = 1

),

counted as (

    select
        app_token,
        nps_id,
        period,
        is_previous,
        count(*) as responses,
        count(case when category = 'promoter' then 1 end) as promoters,
        count(case when category = 'passive' then 1 end) as passives,
        count(case when category = 'detractor' then 1 end) as detractors
    from answers
    group by all

),

asked as (

    select
        app_token,
        entity_id as nps_id,
        period,
        is_previous,
        count(distinct user_id) as users
    from marts.interactions
    inner join windows on {_during("occurred_date")}
    where entity_type = 'nps'
    group by all

)

select
    app_token,
    nps_id,
    period,
    is_previous,
    responses,
    promoters,
    passives,
    detractors,
    100 * (promoters - detractors) / responses as nps,
    100 * 1.959964 * sqrt(
        ((promoters + detractors) / responses - pow((promoters - detractors) / responses, 2))
        / responses
    ) as margin,
    responses / nullif(users, 0) as response_rate
from counted
left join asked using (app_token, nps_id, period, is_previous)
order by app_token, nps_id
"""  # noqa: S608 (put together of constants)

NPS_MONTHS = """
select
    app_token,
    nps_id,
    period,
    responses,
    promoters,
    passives,
    detractors,
    nps,
    margin_of_error_95 as margin,
    response_rate
from marts.nps_scores
where basis = 'latest_per_user' and period <> 'all'
order by app_token, nps_id, period
"""

NPS_NAMES = """
select app_token, nps_id, max(nps_name) as name
from marts.nps_responses
group by all
"""

COHORTS = """
select app_token, cohort_date, period_n, cohort_users, eligible_users, retained_users, rate
from marts.retention
where period = 'week' and cohort_date > cast(? as date) - 7 * cast(? as integer)
order by app_token, cohort_date, period_n
"""

RETENTION_CURVE = """
select
    app_token,
    windows.period,
    period_n as day_n,
    sum(eligible_users) as eligible_users,
    sum(retained_users) as retained_users,
    sum(retained_users) / sum(eligible_users) as rate
from marts.retention
inner join windows on cohort_date between first_date and last_date and not is_previous
where retention.period = 'day' and period_n between 1 and 30 and eligible_users > 0
group by all
order by app_token, period_n
"""

# Users by the date of the entry that counts. An entry is an event, so the first event of each date
# tells on which date it falls.
FUNNEL_STEPS = f"""
with

dates as (

    select occurred_date, min(occurred_at) as first_at
    from marts.events
    group by occurred_date

),

attempts as (

    select
        app_token,
        funnel,
        occurred_date as entry_date,
        unnest(range(1, max_step + 1)) as step,
        string_split(step_times, ',') as times
    from marts.funnel_users
    asof left join dates on entry_at >= first_at

),

timed as (

    select
        * exclude (times),
        date_diff('microsecond', cast(times[step - 1] as timestamp), cast(times[step] as timestamp))
            / 1000000.0 as seconds
    from attempts

),

reached as (

    select
        app_token,
        funnel,
        period,
        step,
        count(*) as users,
        quantile_cont(seconds, 0.5) as median_seconds,
        quantile_cont(seconds, 0.9) as p90_seconds
    from timed
    inner join windows on {_during("entry_date")} and not is_previous
    group by all

),

entered as (

    select app_token, funnel, period, users as entered_users
    from reached
    where step = 1

)

select
    app_token,
    funnel,
    period,
    step,
    step_name,
    coalesce(reached.users, 0) as users,
    coalesce(reached.users, 0) / entered_users as conversion_from_first,
    coalesce(reached.users, 0) / nullif(
        lag(coalesce(reached.users, 0)) over (partition by app_token, funnel, period order by step),
        0
    ) as conversion_from_previous,
    median_seconds,
    p90_seconds
from entered
inner join marts.funnel_steps using (app_token, funnel)
left join reached using (app_token, funnel, period, step)
order by app_token, funnel, step
"""  # noqa: S608 (put together of constants)

# What each user did with a flow (`step_id` is NULL) and its steps, and the date of the first of it.
# An event of a step that does not name its flow is one of the flow that the step is listed with.
FLOW_USER_STEPS = """
create temporary table flow_user_steps as
with

listed_steps as (

    select
        app_token,
        flow_id,
        step_id,
        case
            when bool_and(flow_id is not null) over (partition by app_token, step_id) then flow_id
        end as usual_flow_id
    from marts.flow_steps

),

flow_events as (

    select
        app_token,
        entity_id as flow_id,
        null as step_id,
        user_id,
        interaction_status,
        occurred_date
    from marts.interactions
    where entity_type = 'experience'
    union all
    select
        interactions.app_token,
        flow_id,
        step_id,
        user_id,
        interaction_status,
        occurred_date
    from marts.interactions
    inner join listed_steps
        on
            interactions.app_token = listed_steps.app_token
            and entity_id = step_id
            and coalesce(parent_id, usual_flow_id) = flow_id
    where entity_type = 'experience_step'

),

user_steps as (

    select
        app_token,
        flow_id,
        step_id,
        user_id,
        coalesce(bool_or(interaction_status = 'SEEN'), false) as is_seen,
        coalesce(bool_or(interaction_status = 'COMPLETED'), false) as is_completed,
        coalesce(bool_or(interaction_status = 'DISMISSED'), false) as is_dismissed,
        min(occurred_date) as shown_date
    from flow_events
    where flow_id is not null and user_id is not null
    group by all

)

select
    * exclude (shown_date),
    min(shown_date) over (partition by app_token, flow_id, user_id) as shown_date
from user_steps
"""

FLOWS = f"""
with

flow_users as (

    select
        app_token,
        flow_id,
        user_id,
        shown_date,
        bool_or(step_id is null and is_seen) as is_seen,
        bool_or(step_id is null and is_completed) as is_completed,
        bool_or(step_id is null and is_dismissed) as is_dismissed
    from flow_user_steps
    group by all

)

select
    app_token,
    period,
    flow_id,
    any_value(coalesce(flow_name, flow_id)) as name,
    count(*) as shown_users,
    count_if(is_seen) as seen_users,
    count_if(is_completed) as completed_users,
    count_if(is_dismissed) as dismissed_users,
    count_if(is_seen and is_completed) / nullif(count_if(is_seen), 0) as completion_rate,
    quantile_cont(seconds_to_complete, 0.5) as median_seconds
from flow_users
inner join windows on {_during("shown_date")} and not is_previous
left join marts.flow_users as durations using (app_token, flow_id, user_id)
left join marts.flows using (app_token, flow_id)
group by app_token, period, flow_id
order by app_token, count(*) desc, flow_id
"""  # noqa: S608 (put together of constants)

# As the mart counts what is lost between steps: ids like the macro `natural_order` has them.
_IS_NUMBER = "regexp_full_match(step_id, '-?[0-9]+')"
_STEP_ORDER = f"""
    step_number,
    case when {_IS_NUMBER} then try_cast(step_id as double) end nulls last,
    case when {_IS_NUMBER} then length(step_id) end,
    step_id
"""

FLOW_STEPS = f"""
with

counted as (

    select
        app_token,
        period,
        flow_id,
        step_id,
        count_if(is_seen) as seen_users,
        count_if(is_completed) as completed_users
    from flow_user_steps
    inner join windows on {_during("shown_date")} and not is_previous
    where step_id is not null
    group by all

),

-- Also the steps that nobody took.
shown as (

    select distinct app_token, period, flow_id
    from counted

)

select
    app_token,
    period,
    flow_id,
    step_number,
    coalesce(step_name, step_id) as name,
    coalesce(counted.seen_users, 0) as seen_users,
    coalesce(counted.completed_users, 0) as completed_users,
    lag(coalesce(counted.seen_users, 0)) over steps - coalesce(counted.seen_users, 0)
        as dropped_users
from shown
inner join marts.flow_steps using (app_token, flow_id)
left join counted using (app_token, period, flow_id, step_id)
window steps as (
    partition by app_token, period, flow_id
    order by {_STEP_ORDER}
)
order by app_token, flow_id, {_STEP_ORDER}
"""  # noqa: S608 (put together of constants)

VARIANTS = """
select
    app_token,
    experiment_id,
    coalesce(experiment_name, 'Experiment ' || experiment_id) as experiment_name,
    variant,
    is_control,
    is_reference,
    clean_users,
    converted_users,
    conversion_rate,
    conversion_rate_low,
    conversion_rate_high,
    difference,
    difference_low,
    difference_high,
    holm_p_value,
    srm_p_value,
    has_srm,
    days_running
from marts.experiment_variants
order by app_token, experiment_id, variant
"""

EXPERIMENT_USERS = """
select
    app_token,
    experiment_id,
    count(*) as users,
    count(case when is_contaminated then 1 end) as contaminated_users
from marts.experiment_users
group by all
"""

_TOP_EVENTS = """
with

used as (

    select
        app_token,
        period,
        {identity} as id,
        max({name}) as name,
        count(*) as events,
        count(distinct user_id) as users
    from {table}
    inner join windows on {during} and not is_previous
    where {identity} is not null
    group by all

)

select app_token, period, coalesce(name, id) as name, users, events,
    count(*) over (partition by app_token, period) as total
from used
qualify row_number() over (
    partition by app_token, period
    order by users desc, events desc, id
) <= {top}
order by app_token, period, users desc, events desc, id
"""

FEATURES = _TOP_EVENTS.format(
    table="marts.feature_events",
    identity="feature_id",
    name="feature_name",
    during=_during("occurred_date"),
    top=TOP,
)
TRACKED_EVENTS = _TOP_EVENTS.format(
    table="marts.tracked_events",
    identity="event_name",
    name="display_name",
    during=_during("occurred_date"),
    top=TOP,
)

COMPANIES = f"""
with

user_days as (

    select
        app_token,
        company_id,
        occurred_date,
        case when is_activity then user_id end as active_user_id,
        count(*) as events
    from marts.events
    where company_id is not null
    group by all

),

active as (

    select
        app_token,
        period,
        company_id,
        count(distinct active_user_id) as active_users,
        sum(events) as events
    from user_days
    inner join windows on {_during("occurred_date")} and not is_previous
    group by all
    having count(active_user_id) > 0

)

select
    app_token,
    period,
    coalesce(company_name, company_id) as name,
    plan,
    industry,
    active_users,
    current_user_count as users,
    events,
    count(*) over (partition by app_token, period) as total
from active
inner join marts.companies using (app_token, company_id)
qualify row_number() over (
    partition by app_token, period
    order by active_users desc, current_user_count desc, events desc, company_id
) <= {TOP}
order by app_token, period, active_users desc, users desc, events desc, company_id
"""  # noqa: S608 (put together of constants)

FILES = """
select
    status,
    count(*) as files,
    coalesce(sum(physical_lines), 0) as physical_lines,
    coalesce(sum(blank_lines), 0) as blank_lines,
    coalesce(sum(rejected_lines), 0) as rejected_lines,
    coalesce(sum(duplicate_lines), 0) as duplicate_lines,
    coalesce(sum(new_events), 0) as new_events,
    coalesce(sum(removed_events), 0) as removed_events
from audit.file_ledger
group by status
order by files desc, status
"""

REJECTED = """
select reason, sum(line_count) as lines, count(distinct path) as files
from audit.rejected_lines
group by reason
order by lines desc, reason
"""

UNKNOWN_VALUES = """
select field, value, event_count as events, cast(last_seen_at as date) as last_seen,
    count(*) over () as total
from audit.unknown_values
order by events desc, field, value
limit 20
"""

REMOVED_EVENTS = """
select app_token, reason, rule, event_count as events, user_count as users,
    count(*) over () as total
from audit.removed_events
order by events desc, app_token, reason, rule
limit 20
"""

QUALITY = """
select
    (select count(*) from marts.events where is_future_dated) as future_dated_events,
    (select count(*) from audit.duplicate_conflicts) as duplicate_conflicts
"""
