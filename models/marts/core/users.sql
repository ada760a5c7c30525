-- one row per (app_token, user_id) seen on any event
{{ config(
    contract={'enforced': var('user_traits') | length == 0},
    meta={'cut': {'by': 'user', 'parents': [
        'events', 'nps_responses', 'sessions', 'user_days', 'user_traits_history',
    ]}},
) }}
{% set trait_keys = ['email', 'name', 'plan_type'] %}
{% set latest_columns = [
    'company_id', 'device_type', 'browser', 'operating_system', 'browser_language', 'country_code',
] %}
{% set sign_up_keys = ['signed_up_at', 'created_at', 'signup_at', 'sign_up_date'] %}
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where user_id is not null

),

user_traits as (

    select * from {{ ref('user_traits_history') }}
    where valid_to is null and traits <> '{}'

),

scored_responses as (

    select * from {{ ref('nps_responses') }}
    where score is not null

),

activity as (

    select
        app_token,
        user_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        min(case when event_type = 'identify_user' then occurred_at end) as first_identified_at,
        count(*) as event_count,
        count(case when event_type = 'page_view' then 1 end) as page_view_count,
        least(
            {%- for column in latest_columns %}
                {{ latest_at(column) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as latest_values_from
    from events
    group by app_token, user_id

),

session_counts as (

    select
        app_token,
        user_id,
        count(*) as session_count
    from {{ ref('sessions') }}
    group by app_token, user_id

),

active_day_counts as (

    select
        app_token,
        user_id,
        count(*) as active_day_count
    from {{ ref('user_days') }}
    group by app_token, user_id

),

-- The few events in which a user's latest values are: to order all of them would take long.
last_events as (

    select
        {%- for column in latest_columns %}
            events.{{ column }},
        {%- endfor %}
        events.app_token,
        events.user_id,
        row_number() over (
            partition by events.app_token, events.user_id
            order by {{ event_order('events') | join(', ') }}
        ) as place
    from events
    inner join activity
        on
            events.app_token = activity.app_token
            and events.user_id = activity.user_id
            and events.occurred_at >= activity.latest_values_from

),

latest_values as (

    select
        {%- for column in latest_columns %}
            {{ max_by(column, ['place']) }} as {{ column }},
        {%- endfor %}
        app_token,
        user_id
    from last_events
    group by app_token, user_id

),

unpacked_traits as (

    {{ unpack_json('user_traits', 'traits', trait_keys + sign_up_keys, 'trait_') | indent(4) }}

),

latest_scores as (

    select
        app_token,
        user_id,
        {{ max_by('score', ['responded_at', 'nps_response_key']) }} as latest_nps_score
    from scored_responses
    group by app_token, user_id

),

final as (

    select
        ---------- ids
        {{ user_key('activity') }} as user_key,
        activity.app_token,
        activity.user_id,
        {{ company_key('latest_values') }} as company_key,
        latest_values.company_id,

        ---------- traits
        unpacked_traits.trait_email as email,
        unpacked_traits.trait_name as name,
        unpacked_traits.trait_plan_type as plan_type,
        {{- trait_columns(var('user_traits')) }}
        unpacked_traits.traits,

        ---------- text
        latest_values.device_type as latest_device_type,
        latest_values.browser as latest_browser,
        latest_values.operating_system as latest_operating_system,
        latest_values.browser_language as latest_browser_language,
        latest_values.country_code as latest_country_code,

        ---------- numbers
        activity.event_count,
        activity.page_view_count,
        coalesce(session_counts.session_count, 0) as session_count,
        coalesce(active_day_counts.active_day_count, 0) as active_day_count,
        latest_scores.latest_nps_score,

        ---------- times
        coalesce(
            {%- for key in sign_up_keys %}
                {{ parse_timestamp('unpacked_traits.trait_' ~ key) | indent(16) }}
                {{- ',' if not loop.last }}
            {%- endfor %}
        ) as signed_up_at,
        activity.first_seen_at,
        activity.last_seen_at,
        activity.first_identified_at

    from activity
    left join session_counts
        on
            activity.app_token = session_counts.app_token
            and activity.user_id = session_counts.user_id
    left join active_day_counts
        on
            activity.app_token = active_day_counts.app_token
            and activity.user_id = active_day_counts.user_id
    left join latest_values
        on activity.app_token = latest_values.app_token and activity.user_id = latest_values.user_id
    left join unpacked_traits
        on
            activity.app_token = unpacked_traits.app_token
            and activity.user_id = unpacked_traits.user_id
    left join latest_scores
        on activity.app_token = latest_scores.app_token and activity.user_id = latest_scores.user_id

)

select * from final
