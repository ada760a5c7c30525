-- one row per (app_token, nps_id, period, basis) with at least one scored response
{% set groups = ['app_token', 'nps_id', 'period'] %}
with

responses as (

    select * from {{ ref('nps_responses') }}

),

shows as (

    select * from {{ ref('interactions') }}
    where entity_type = 'nps' and user_id is not null

),

responses_by_period as (

    select
        *,
        'all' as period
    from responses
    union all
    select
        *,
        {{ month_of('responded_date') }} as period
    from responses

),

shows_by_period as (

    select
        *,
        'all' as period
    from shows
    union all
    select
        *,
        {{ month_of('occurred_date') }} as period
    from shows

),

counted_shows as (

    select
        app_token,
        entity_id as nps_id,
        period,
        count(distinct user_id) as shown_users
    from shows_by_period
    group by app_token, entity_id, period

),

all_responses as (

    {{ nps('responses_by_period', groups) }}

),

latest_responses as (

    {{ nps('responses_by_period', groups, latest_per='user_id') }}

),

scores as (

    select
        *,
        'all_responses' as basis
    from all_responses
    union all
    select
        *,
        'latest_per_user' as basis
    from latest_responses

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'nps'

),

final as (

    select
        ---------- ids
        {{ surrogate_key([
            'scores.app_token', 'scores.nps_id', 'scores.period', 'scores.basis',
        ]) }} as nps_score_key,
        scores.app_token,
        scores.nps_id,

        ---------- text
        names.name as nps_name,
        scores.period,
        scores.basis,

        ---------- numbers
        scores.responses,
        scores.promoters,
        scores.passives,
        scores.detractors,
        scores.nps,
        scores.margin_of_error_95,
        scores.average_score,
        counted_shows.shown_users,
        -- Each user has one latest response.
        {{ safe_divide('latest_responses.responses', 'counted_shows.shown_users') }}
            as response_rate

    from scores
    inner join latest_responses
        on
            scores.app_token = latest_responses.app_token
            and scores.nps_id = latest_responses.nps_id
            and scores.period = latest_responses.period
    left join counted_shows
        on
            scores.app_token = counted_shows.app_token
            and scores.nps_id = counted_shows.nps_id
            and scores.period = counted_shows.period
    left join names
        on scores.app_token = names.app_token and scores.nps_id = names.entity_id

)

select * from final
