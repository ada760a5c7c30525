-- one row per (app_token, company_id) seen on any event
{{ config(contract={'enforced': var('company_traits') | length == 0}) }}
{% set trait_keys = ['company_name', 'name', 'industry', 'plan', 'created_at'] %}
with

user_days as (

    select * from {{ ref('int_company_user_days') }}
    where company_id is not null

),

company_traits as (

    select * from {{ ref('company_traits_history') }}
    where valid_to is null and traits <> '{}'

),

current_members as (

    select
        company_key,
        count(*) as current_user_count
    from {{ ref('users') }}
    where company_key is not null
    group by company_key

),

as_of as (

    select * from {{ ref('int_as_of_date') }}

),

dated as (

    select
        user_days.*,
        case
            when user_days.active_event_count > 0 and user_days.occurred_date <= as_of.as_of_date
                then {{ dbt.datediff('user_days.occurred_date', 'as_of.as_of_date', 'day') }}
        end as days_since_activity
    from user_days
    cross join as_of

),

activity as (

    select
        company_key,
        min(app_token) as app_token,
        min(company_id) as company_id,
        min(first_event_at) as first_seen_at,
        max(last_event_at) as last_seen_at,
        cast(sum(event_count) as bigint) as event_count,
        count(distinct user_id) as user_count,
        count(distinct case when days_since_activity < 7 then user_id end) as active_user_count_7d,
        count(distinct case when days_since_activity < 28 then user_id end) as active_user_count_28d
    from dated
    group by company_key

),

unpacked_traits as (

    {{ unpack_json('company_traits', 'traits', trait_keys, 'trait_') | indent(4) }}

),

final as (

    select
        ---------- ids
        activity.company_key,
        activity.app_token,
        activity.company_id,

        ---------- traits
        coalesce(unpacked_traits.trait_company_name, unpacked_traits.trait_name) as company_name,
        unpacked_traits.trait_industry as industry,
        unpacked_traits.trait_plan as plan,
        {{- trait_columns(var('company_traits')) }}
        unpacked_traits.traits,

        ---------- numbers
        activity.event_count,
        activity.user_count,
        coalesce(current_members.current_user_count, 0) as current_user_count,
        activity.active_user_count_7d,
        activity.active_user_count_28d,

        ---------- times
        {{ parse_timestamp('unpacked_traits.trait_created_at') | indent(8) }} as created_at,
        activity.first_seen_at,
        activity.last_seen_at

    from activity
    left join unpacked_traits
        on
            activity.app_token = unpacked_traits.app_token
            and activity.company_id = unpacked_traits.company_id
    left join current_members on activity.company_key = current_members.company_key

)

select * from final
