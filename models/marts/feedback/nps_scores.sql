-- one row per (app_token, nps_id, period, basis) with at least one scored response
{% set counts = [
    'counted_responses.promoters', 'counted_responses.detractors', 'counted_responses.responses',
] %}
with

responses as (

    select * from {{ ref('nps_responses') }}
    where score is not null

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

ranked_responses as (

    select
        *,
        row_number() over (
            partition by app_token, nps_id, period, user_id
            order by responded_at desc, submission_id desc
        ) as recency
    from responses_by_period

),

responses_by_basis as (

    select
        *,
        'all_responses' as basis
    from ranked_responses
    union all
    select
        *,
        'latest_per_user' as basis
    from ranked_responses
    where recency = 1

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

counted_responses as (

    select
        app_token,
        nps_id,
        period,
        basis,
        count(*) as responses,
        count(case when category = 'promoter' then 1 end) as promoters,
        count(case when category = 'passive' then 1 end) as passives,
        count(case when category = 'detractor' then 1 end) as detractors,
        avg(score) as average_score,
        count(distinct user_id) as responding_users
    from responses_by_basis
    group by app_token, nps_id, period, basis

),

final as (

    select
        ---------- ids
        {{ surrogate_key([
            'counted_responses.app_token', 'counted_responses.nps_id', 'counted_responses.period',
            'counted_responses.basis',
        ]) }} as nps_score_key,
        counted_responses.app_token,
        counted_responses.nps_id,

        ---------- text
        counted_responses.period,
        counted_responses.basis,

        ---------- numbers
        counted_responses.responses,
        counted_responses.promoters,
        counted_responses.passives,
        counted_responses.detractors,
        {{ net_promoter_score(*counts) }} as nps,
        {{ nps_margin_of_error_95(*counts) | indent(8) }} as margin_of_error_95,
        counted_responses.average_score,
        counted_shows.shown_users,
        {{ safe_divide('counted_responses.responding_users', 'counted_shows.shown_users') }}
            as response_rate

    from counted_responses
    left join counted_shows
        on
            counted_responses.app_token = counted_shows.app_token
            and counted_responses.nps_id = counted_shows.nps_id
            and counted_responses.period = counted_shows.period

)

select * from final
