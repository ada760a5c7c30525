{#-
    A select of cohorts and how many of them were active again, N periods after their first activity.
    `relation` holds dates of activity, `id` names who was active.
-#}
{% macro retention(relation, id, as_of, period='day', longest=90, date='activity_date') -%}
    {%- set days = {'day': 1, 'week': 7}[period] -%}
    with

    active_periods as (

        select distinct
            app_token,
            {{ id }},
            cast({{ dbt.date_trunc(period, date) }} as date) as period_date
        from {{ relation }}
        where {{ date }} <= {{ as_of }}

    ),

    dated as (

        select
            *,
            min(period_date) over (partition by app_token, {{ id }}) as cohort_date
        from active_periods

    ),

    returns as (

        select
            app_token,
            cohort_date,
            {{ dbt.datediff('cohort_date', 'period_date', 'day') }} / {{ days }} as period_n,
            count(*) as retained_users
        from dated
        group by app_token, cohort_date, period_n

    ),

    cohorts as (

        select
            returns.app_token,
            returns.cohort_date,
            returns.retained_users as cohort_users,
            steps.n as period_n
        from returns
        cross join ({{ numbers(longest) }}) as steps
        where
            returns.period_n = 0
            and returns.cohort_date + cast(steps.n * {{ days }} as integer) <= {{ as_of }}

    )

    select
        cohorts.app_token,
        '{{ period }}' as period,
        cohorts.cohort_date,
        cohorts.period_n,
        cohorts.cohort_users,
        coalesce(returns.retained_users, 0) as retained_users
    from cohorts
    left join returns
        on
            cohorts.app_token = returns.app_token
            and cohorts.cohort_date = returns.cohort_date
            and cohorts.period_n = returns.period_n
{%- endmacro %}
