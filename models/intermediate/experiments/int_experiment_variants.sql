-- one row per (app_token, experiment_id, variant) seen, or declared for an experiment seen
with

exposures as (

    select
        *,
        entity_id as experiment_id
    from {{ ref('interactions') }}
    where entity_type = 'experiment'

),

experiment_users as (

    select * from {{ ref('experiment_users') }}

),

declarations as (

    select * from {{ ref('experiments') }}

),

experiment_spans as (

    select
        app_token,
        experiment_id,
        min(case when user_id is not null and variant is not null then occurred_date end)
            as first_exposure_date,
        max(occurred_date) as last_event_date
    from exposures
    group by app_token, experiment_id

),

seen_variants as (

    select
        app_token,
        experiment_id,
        variant,
        count(distinct user_id) as exposed_users
    from exposures
    where user_id is not null and variant is not null
    group by app_token, experiment_id, variant

),

declared_variants as (

    select
        declarations.app_token,
        declarations.experiment_id,
        declarations.variant,
        declarations.is_control,
        declarations.planned_share
    from declarations
    inner join experiment_spans
        on
            declarations.app_token = experiment_spans.app_token
            and declarations.experiment_id = experiment_spans.experiment_id
    where experiment_spans.first_exposure_date is not null

),

variants as (

    select
        coalesce(seen_variants.app_token, declared_variants.app_token) as app_token,
        coalesce(seen_variants.experiment_id, declared_variants.experiment_id) as experiment_id,
        coalesce(seen_variants.variant, declared_variants.variant) as variant,
        coalesce(seen_variants.exposed_users, 0) as exposed_users,
        declared_variants.variant is not null as is_declared,
        declared_variants.is_control,
        declared_variants.planned_share
    from seen_variants
    full outer join declared_variants
        on
            seen_variants.app_token = declared_variants.app_token
            and seen_variants.experiment_id = declared_variants.experiment_id
            and seen_variants.variant = declared_variants.variant

),

clean_users as (

    select
        app_token,
        experiment_id,
        first_variant as variant,
        count(*) as clean_users,
        count(converted_at) as converted_users
    from experiment_users
    where not is_contaminated
    group by app_token, experiment_id, first_variant

),

counted as (

    select
        variants.*,
        coalesce(clean_users.clean_users, 0) as clean_users,
        coalesce(clean_users.converted_users, 0) as converted_users,
        row_number() over (
            partition by variants.app_token, variants.experiment_id
            order by coalesce(variants.is_control, false) desc, variants.variant
        ) = 1 as is_reference,
        max(variants.is_declared) over (
            partition by variants.app_token, variants.experiment_id
        ) as is_declared_experiment
    from variants
    left join clean_users
        on
            variants.app_token = clean_users.app_token
            and variants.experiment_id = clean_users.experiment_id
            and variants.variant = clean_users.variant

),

-- A declared experiment is held against its plan, any other against an equal split.
final as (

    select
        counted.app_token,
        counted.experiment_id,
        counted.variant,
        counted.exposed_users,
        counted.clean_users,
        counted.converted_users,
        counted.is_control,
        counted.is_reference,
        case
            when not counted.is_declared_experiment then 1.0
            when counted.is_declared then coalesce(counted.planned_share, 1.0)
        end as planned_weight,
        {{ dbt.datediff(
            'experiment_spans.first_exposure_date', 'experiment_spans.last_event_date', 'day'
        ) }} + 1 as days_running
    from counted
    inner join experiment_spans
        on
            counted.app_token = experiment_spans.app_token
            and counted.experiment_id = experiment_spans.experiment_id

)

select * from final
