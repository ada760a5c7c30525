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

summed as (

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
        {{ min_by('pathname', ['occurred_at']) }} as entry_pathname,
        {{ max_by('pathname', ['occurred_at']) }} as exit_pathname,
        {{ max_by('device_type', ['occurred_at']) }} as device_type,
        {{ max_by('country_code', ['occurred_at']) }} as country_code,
        {{ min_by_is_tied('pathname', 'occurred_at') }}
        or {{ max_by_is_tied('pathname', 'occurred_at') }}
        or {{ max_by_is_tied('device_type', 'occurred_at') }}
        or {{ max_by_is_tied('country_code', 'occurred_at') }} as is_tied
    from events
    group by app_token, user_id, session

),

-- The whole order of events is dear and only matters where two of one moment could tell a value.
placed as (

    select
        app_token,
        user_id,
        session,
        pathname,
        device_type,
        country_code,
        row_number() over (
            partition by app_token, user_id, session
            order by {{ event_order() | join(', ') }}
        ) as place
    from events
    where
        (app_token, user_id, session) in (
            select
                summed.app_token,
                summed.user_id,
                summed.session
            from summed
            where summed.is_tied
        )

),

tied_values as (

    select
        app_token,
        user_id,
        session,
        {{ min_by('pathname', ['place']) }} as entry_pathname,
        {{ max_by('pathname', ['place']) }} as exit_pathname,
        {{ max_by('device_type', ['place']) }} as device_type,
        {{ max_by('country_code', ['place']) }} as country_code
    from placed
    group by app_token, user_id, session

),

-- Without app_token the list is smaller to the engine than events; other apps come out right too.
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
    where
        (user_id, session) in (
            select
                summed.user_id,
                summed.session
            from summed
            where
                {{ seconds_between('summed.started_at', 'summed.ended_at') }}
                > {{ var('session_gap_minutes') }} * 60
        )

),

visits as (

    select
        app_token,
        user_id,
        session,
        1 + count(*) as visit_count
    from spaced
    where
        {{ seconds_between('previous_at', 'occurred_at') }}
        > {{ var('session_gap_minutes') }} * 60
    group by app_token, user_id, session

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
        coalesce(tied_values.entry_pathname, keyed.entry_pathname) as entry_pathname,
        coalesce(tied_values.exit_pathname, keyed.exit_pathname) as exit_pathname,
        coalesce(tied_values.device_type, keyed.device_type) as device_type,
        coalesce(tied_values.country_code, keyed.country_code) as country_code,

        ---------- numbers
        {{ strict_integer('keyed.session') }} as session_number,
        {{ seconds_between('keyed.started_at', 'keyed.ended_at') }} as duration_seconds,
        keyed.event_count,
        keyed.page_view_count,
        coalesce(visits.visit_count, 1) as visit_count,
        coalesce(engagements.engaged_entity_count, 0) as engaged_entity_count,

        ---------- booleans
        keyed.page_view_count <= 1 and keyed.action_count = 0 as is_bounce,

        ---------- times
        keyed.started_at,
        keyed.ended_at,
        {{ date_in_zone('keyed.started_at') }} as started_date

    from keyed
    left join tied_values
        on
            keyed.app_token = tied_values.app_token
            and keyed.user_id = tied_values.user_id
            and keyed.session = tied_values.session
    left join visits
        on
            keyed.app_token = visits.app_token
            and keyed.user_id = visits.user_id
            and keyed.session = visits.session
    left join engagements on keyed.session_key = engagements.session_key

)

select * from final
