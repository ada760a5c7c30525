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
        app_token,
        user_id,
        session,
        occurred_at,
        lag(occurred_at) over (
            partition by app_token, user_id, session order by occurred_at
        ) as previous_at
    from events

),

visits as (

    select
        app_token,
        user_id,
        session,
        1 + count(
            case
                when
                    {{ seconds_between('previous_at', 'occurred_at') }}
                    > {{ var('session_gap_minutes') }} * 60
                    then 1
            end
        ) as visit_count
    from spaced
    group by app_token, user_id, session

),

tied_sessions as (

    select
        app_token,
        user_id,
        session
    from spaced
    where previous_at = occurred_at

),

-- The whole order of events is dear and only matters where two are of one moment.
summed as (

    {%- for order, is_tied in [(['occurred_at'], 'not in'), (event_order(), 'in')] %}
        select
            app_token,
            user_id,
            session,
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
        where
            (app_token, user_id, session) {{ is_tied }} (
                select
                    tied_sessions.app_token,
                    tied_sessions.user_id,
                    tied_sessions.session
                from tied_sessions
            )
        group by app_token, user_id, session
        {{ 'union all' if not loop.last }}
    {%- endfor %}

),

keyed as (

    select
        *,
        {{ session_key() }} as session_key
    from summed

),

final as (

    select
        ---------- ids
        keyed.session_key,
        keyed.app_token,
        keyed.user_id,
        {{ user_key('keyed') }} as user_key,
        keyed.session,

        ---------- text
        keyed.entry_pathname,
        keyed.exit_pathname,
        keyed.device_type,
        keyed.country_code,

        ---------- numbers
        {{ strict_integer('keyed.session') }} as session_number,
        {{ seconds_between('keyed.started_at', 'keyed.ended_at') }} as duration_seconds,
        keyed.event_count,
        keyed.page_view_count,
        visits.visit_count,
        coalesce(engagements.engaged_entity_count, 0) as engaged_entity_count,

        ---------- booleans
        keyed.page_view_count <= 1 and keyed.action_count = 0 as is_bounce,

        ---------- times
        keyed.started_at,
        keyed.ended_at,
        {{ date_in_zone('keyed.started_at') }} as started_date

    from keyed
    inner join visits
        on
            keyed.app_token = visits.app_token
            and keyed.user_id = visits.user_id
            and keyed.session = visits.session
    left join engagements on keyed.session_key = engagements.session_key

)

select * from final
