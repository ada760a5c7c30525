-- one row per (app_token, anchor, session_key): what was done around the first anchor of a session
{% set longest = 10 %}
{{ config(
    materialized='table',
    meta={'cut': {'by': 'session', 'parents': ['events'], 'sessions': 'sessions'}},
) }}
-- depends_on: {{ ref('sessions') }}
with

events as {{ inlined() }} (

    select
        *,
        {{ viewed_page() }} as page
    from {{ ref('events') }}
    where
        {{ is_path_step() }}

),

-- Of the others the numbers are computed: there may be millions, and all would fill the memory.
frequent_kinds as {{ computed_once() }} (

    select
        kind_id,
        {{ kind_columns() | join(',\n        ') }}
    from {{ ref('int_event_kinds') }}
    group by kind_id, {{ kind_columns() | join(', ') }}
    order by sum(present_event_count) desc
    limit 10000

),

known as {{ inlined() }} (

    select
        events.*,
        coalesce(
            frequent_kinds.kind_id,
            {{ digest_number(surrogate_key(kind_columns('events'))) }}
        ) as kind_id
    from events
    left join frequent_kinds
        on
            events.app_token = frequent_kinds.app_token
            and events.event_type = frequent_kinds.event_type
            and events.event_name is not distinct from frequent_kinds.event_name
            and events.page is not distinct from frequent_kinds.page

),

anchor_names as (

    {{ matching_names(ref('int_event_kinds'), ref('path_anchors')) }}

),

timed as (

    select
        app_token,
        user_id,
        session,
        {{ list_in_order('kind_id', microseconds('occurred_at')) }} as kind_ids,
        {{ list_is_tied('kind_id', microseconds('occurred_at')) }} as is_tied
    from known
    group by app_token, user_id, session

),

-- The whole order of events is dear and only matters where two are of one moment. (Where all that
-- read `timed` had a condition, DuckDB would compute `is_tied` twice.)
placed as (

    select
        app_token,
        user_id,
        session,
        event_type,
        event_name,
        kind_id,
        row_number() over (
            partition by app_token, user_id, session
            order by {{ event_order() | join(', ') }}
        ) as place
    from known
    where
        (app_token, user_id, session) in (
            select
                timed.app_token,
                timed.user_id,
                case when timed.is_tied then timed.session end as session
            from timed
        )

),

tied as (

    select
        app_token,
        user_id,
        session,
        {{ list_in_order('kind_id', 'place') }} as kind_ids
    from placed
    group by app_token, user_id, session

),

tied_anchors as (

    select
        placed.app_token,
        placed.user_id,
        placed.session,
        anchor_names.anchor,
        min(placed.place) as anchor_at
    from placed
    inner join anchor_names
        on
            placed.event_type = anchor_names.matched_type
            and placed.event_name is not distinct from anchor_names.matched_name
    group by placed.app_token, placed.user_id, placed.session, anchor_names.anchor

),

-- The list and the anchor are both by time or, in a session with ties, both by place.
anchored as (

    select
        timed.app_token,
        timed.user_id,
        timed.session,
        timed.kind_ids,
        anchors.anchor,
        anchors.anchor_at
    from timed
    inner join {{ ref('int_path_anchors') }} as anchors
        on
            timed.app_token = anchors.app_token
            and timed.user_id = anchors.user_id
            and timed.session = anchors.session
    where not timed.is_tied
    union all
    select
        tied.app_token,
        tied.user_id,
        tied.session,
        tied.kind_ids,
        tied_anchors.anchor,
        tied_anchors.anchor_at
    from tied
    inner join tied_anchors
        on
            tied.app_token = tied_anchors.app_token
            and tied.user_id = tied_anchors.user_id
            and tied.session = tied_anchors.session

),

numbered as (

    select
        *,
        {{ place_in_list('kind_ids', 'anchor_at') }} as place
    from anchored

),

final as (

    select
        app_token,
        anchor,
        {{ session_key() }} as session_key,
        user_id,
        {{ list_part('kind_ids', 'place - ' ~ longest, 'place + ' ~ longest) }} as kind_ids,
        least(place, {{ longest + 1 }}) as anchor_place
    from numbered

)

select * from final
