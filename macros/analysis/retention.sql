{#-
    A select of cohorts and how many of them came back, N periods after their first activity. Both
    relations hold dates; `relation` says when whoever `id` names began, `returns` what is coming
    back.
-#}
{% macro retention(
    relation=none,
    id='user_id',
    as_of=none,
    period='day',
    longest=90,
    date='activity_date',
    returns=none,
    returns_date=none
) -%}
    {%- if period not in ('day', 'week') -%}
        {%- do exceptions.raise_compiler_error("The period of retention is 'day' or 'week'.") -%}
    {%- endif -%}
    {%- set days = {'day': 1, 'week': 7}[period] -%}
    {%- set relation = ref('user_days') if relation is none else relation -%}
    {%- set as_of = as_of_date() if as_of is none else as_of -%}
    {%- set returns = relation if returns is none else returns -%}
    {%- set returns_date = returns_date or date -%}
    with

    starts as (

        select
            app_token,
            {{ id }},
            min(cast({{ dbt.date_trunc(period, date) }} as date)) as cohort_date
        from {{ relation }}
        where {{ id }} is not null and {{ date }} <= {{ as_of }}
        group by app_token, {{ id }}

    ),

    periods as (

        select distinct
            app_token,
            {{ id }},
            cast({{ dbt.date_trunc(period, returns_date) }} as date) as period_date
        from {{ returns }}
        where {{ returns_date }} <= {{ as_of }}

    ),

    retained as (

        select
            starts.app_token,
            starts.cohort_date,
            periods.period_date,
            count(*) as retained_users
        from starts
        inner join periods
            on
                starts.app_token = periods.app_token
                and starts.{{ id }} = periods.{{ id }}
        group by starts.app_token, starts.cohort_date, periods.period_date

    ),

    cohorts as (

        select
            app_token,
            cohort_date,
            count(*) as cohort_users
        from starts
        group by app_token, cohort_date

    ),

    cohort_periods as (

        select
            cohorts.*,
            steps.n as period_n,
            cohorts.cohort_date + cast(steps.n * {{ days }} as integer) as period_date
        from cohorts
        cross join ({{ numbers(longest) }}) as steps

    )

    select
        cohort_periods.app_token,
        '{{ period }}' as period,
        cohort_periods.cohort_date,
        cohort_periods.period_n,
        cohort_periods.cohort_users,
        coalesce(retained.retained_users, 0) as retained_users
    from cohort_periods
    left join retained
        on
            cohort_periods.app_token = retained.app_token
            and cohort_periods.cohort_date = retained.cohort_date
            and cohort_periods.period_date = retained.period_date
    where cohort_periods.period_date <= {{ as_of }}
{%- endmacro %}
