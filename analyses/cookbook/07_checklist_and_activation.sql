-- Does the checklist lead to activation?
-- Users by what they did with the checklist in the 24 hours after sign-up, and the share of them
-- that made a report in the 13 days after those, with its 95 % Wilson interval. Looking back and
-- ahead from one moment keeps the report from deciding the group. It is an association, not an
-- effect: keen users finish tasks and make reports alike, and only an experiment could tell the
-- checklist from the keenness. The funnel `activation` must not be used here, as its last step is
-- the checklist itself.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

sign_ups as (

    select
        user_key,
        min(occurred_at) as signed_up_at,
        min(occurred_date) as signed_up_date
    from marts.tracked_events
    where app_token = 'NX-44A1B2C3' and event_name = 'Account: Signed Up'
    group by user_key

),

observed as (

    select sign_ups.*
    from sign_ups
    cross join as_of
    where sign_ups.signed_up_date <= as_of.as_of_date - interval '14' day

),

first_day as (

    select
        observed.user_key,
        max(case
            when
                interactions.entity_type = 'checklist_task'
                and interactions.interaction_status = 'COMPLETED'
                then 2
            else 1
        end) as progress
    from observed
    inner join marts.interactions
        on
            observed.user_key = interactions.user_key
            and observed.signed_up_at <= interactions.occurred_at
            and interactions.occurred_at <= observed.signed_up_at + interval '24' hour
    where interactions.entity_type in ('checklist', 'checklist_task')
    group by observed.user_key

),

reporters as (

    select distinct observed.user_key
    from observed
    inner join marts.tracked_events
        on
            observed.user_key = tracked_events.user_key
            and tracked_events.occurred_at > observed.signed_up_at + interval '24' hour
            and tracked_events.occurred_at <= observed.signed_up_at + interval '14' day
    where tracked_events.event_name = 'Report: Created'

),

groups as (

    select
        coalesce(first_day.progress, 0) as progress,
        count(*) as users,
        count(reporters.user_key) as made_a_report
    from observed
    left join first_day
        on observed.user_key = first_day.user_key
    left join reporters
        on observed.user_key = reporters.user_key
    group by coalesce(first_day.progress, 0)

),

intervals as (

    select
        *,
        1.0 * made_a_report / users as reporting_share,
        made_a_report + 1.920729 as centre,
        1.959964 * sqrt(1.0 * made_a_report * (users - made_a_report) / users + 0.960365) as width,
        users + 3.841459 as weight
    from groups

)

select
    case progress
        when 2 then 'finished a task'
        when 1 then 'saw it, finished none'
        else 'did not see it'
    end as first_day,
    users,
    made_a_report,
    round(reporting_share, 3) as reporting_share,
    round(greatest(0, centre - width) / weight, 3) as low,
    round((centre + width) / weight, 3) as high
from intervals
order by progress desc
limit 10
