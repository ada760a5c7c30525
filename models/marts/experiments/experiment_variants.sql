-- one row per (app_token, experiment_id, variant)
{% set pair = [
    'converted_users', 'clean_users', 'reference_converted_users', 'reference_clean_users',
] %}
with

variants as (

    select * from {{ ref('int_experiment_variants') }}

),

-- The order of a sum decides its last digit.
planned as (

    select
        *,
        {{ safe_divide(
            'planned_weight * sum(case when planned_weight is not null then clean_users end) over experiment',
            'sum(planned_weight order by variant) over experiment',
        ) }} as planned_users
    from variants
    window experiment as (partition by app_token, experiment_id)

),

splits as (

    select
        app_token,
        experiment_id,
        count(planned_weight) - 1 as degrees_of_freedom,
        sum(
            {{ safe_divide('power(clean_users - planned_users, 2)', 'planned_users') }}
            order by variant
        ) as chi_square
    from planned
    group by app_token, experiment_id

),

split_tests as (

    select
        *,
        {{ chi_square_sf('chi_square', 'degrees_of_freedom') | indent(8) }} as srm_p_value
    from splits

),

reference_variants as (

    select * from variants
    where is_reference

),

paired as (

    select
        variants.*,
        case when not variants.is_reference then reference_variants.converted_users end
            as reference_converted_users,
        case when not variants.is_reference then reference_variants.clean_users end
            as reference_clean_users
    from variants
    left join reference_variants
        on
            variants.app_token = reference_variants.app_token
            and variants.experiment_id = reference_variants.experiment_id

),

compared as (

    select
        *,
        {{ safe_divide('converted_users', 'clean_users') }} as conversion_rate,
        {{ wilson_low('converted_users', 'clean_users') | indent(8) }} as conversion_rate_low,
        {{ wilson_high('converted_users', 'clean_users') | indent(8) }} as conversion_rate_high,
        {{ safe_divide('reference_converted_users', 'reference_clean_users') }} as reference_rate,
        {{ newcombe_low(*pair) | indent(8) }} as difference_low,
        {{ newcombe_high(*pair) | indent(8) }} as difference_high,
        {{ two_proportion_z(*pair) | indent(8) }} as z_score
    from paired

),

tested as (

    select
        *,
        {{ two_sided_p_value('z_score') | indent(8) }} as p_value
    from compared

),

stepped as (

    select
        *,
        {{ holm_step('p_value', 'app_token, experiment_id') | indent(8) }} as holm_step
    from tested

),

names as (

    select * from {{ ref('content') }}
    where entity_type = 'experiment'

),

final as (

    select
        ---------- ids
        {{ surrogate_key(['stepped.app_token', 'stepped.experiment_id', 'stepped.variant']) }}
            as experiment_variant_key,
        stepped.app_token,
        stepped.experiment_id,
        stepped.variant,

        ---------- text
        names.name as experiment_name,

        ---------- numbers
        stepped.exposed_users,
        stepped.clean_users,
        stepped.converted_users,
        stepped.conversion_rate,
        stepped.conversion_rate_low,
        stepped.conversion_rate_high,
        stepped.conversion_rate - stepped.reference_rate as difference,
        stepped.difference_low,
        stepped.difference_high,
        stepped.z_score,
        stepped.p_value,
        {{ holm_p_value(
            'stepped.holm_step', 'stepped.p_value', 'stepped.app_token, stepped.experiment_id'
        ) | indent(8) }} as holm_p_value,
        split_tests.srm_p_value,
        stepped.days_running,

        ---------- booleans
        stepped.is_control,
        stepped.is_reference,
        split_tests.srm_p_value < {{ var('srm_threshold') }} as has_srm

    from stepped
    inner join split_tests
        on
            stepped.app_token = split_tests.app_token
            and stepped.experiment_id = split_tests.experiment_id
    left join names
        on stepped.app_token = names.app_token and stepped.experiment_id = names.entity_id

)

select * from final
