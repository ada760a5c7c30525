-- one row per (app_token, user_id, session)
{{ config(meta={'cut': {'by': 'session', 'parents': ['events', 'interactions']}}) }}
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where user_id is not null and session is not null

),

engagements as (

    select
        session_key,
        count(distinct {{ surrogate_key(['entity_type', 'entity_id']) }}) as engaged_entity_count
    from {{ ref('interactions') }}
    where session_key is not null and interaction_status in ('ENGAGED', 'COMPLETED')
    group by session_key

),

spaced as (

    select
        session_key,
        occurred_at,
        lag(occurred_at) over (partition by session_key order by occurred_at) as previous_at
    from events

),

visits as (

    select
        session_key,
        1 + count(
            case
                when
                    {{ seconds_between('previous_at', 'occurred_at') }}
                    > {{ var('session_gap_minutes') }} * 60
                    then 1
            end
        ) as visit_count
    from spaced
    group by session_key

),

tied_sessions as (

    select session_key
    from spaced
    where previous_at = occurred_at

),

-- The whole order of events is dear and only matters where two are of one moment.
summed as (

    {%- for order, is_tied in [(['occurred_at'], 'not in'), (event_order(), 'in')] %}
        select
            session_key,
            min(app_token) as app_token,
            min(user_id) as user_id,
            min(user_key) as user_key,
            min(session) as session,
            min(occurred_at) as started_at,
            max(occurred_at) as ended_at,
            count(*) as event_count,
            count(case when event_type = 'page_view' then 1 end) as page_view_count,
            count(
                case when event_type in ('interaction', 'track', 'track_feature') then 1 end
            ) as action_count,
            {{ min_by('pathname', order) }} as entry_pathname,
            {{ max_by('pathname', order) }} as exit_pathname,
            {{ max_by('device_type', order) }} as device_type,
            {{ max_by('country_code', order) }} as country_code
        from events
        where session_key {{ is_tied }} (select tied_sessions.session_key from tied_sessions)
        group by session_key
        {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        ---------- ids
        summed.session_key,
        summed.app_token,
        summed.user_id,
        summed.user_key,
        summed.session,

        ---------- text
        summed.entry_pathname,
        summed.exit_pathname,
        summed.device_type,
        summed.country_code,

        ---------- numbers
        {{ strict_integer('summed.session') }} as session_number,
        {{ seconds_between('summed.started_at', 'summed.ended_at') }} as duration_seconds,
        summed.event_count,
        summed.page_view_count,
        visits.visit_count,
        coalesce(engagements.engaged_entity_count, 0) as engaged_entity_count,

        ---------- booleans
        summed.page_view_count <= 1 and summed.action_count = 0 as is_bounce,

        ---------- times
        summed.started_at,
        summed.ended_at,
        {{ date_in_zone('summed.started_at') }} as started_date

    from summed
    inner join visits on summed.session_key = visits.session_key
    left join engagements on summed.session_key = engagements.session_key

)

select * from final
