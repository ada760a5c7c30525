-- one row per (app_token, period, cohort_date, period_n) that the cohort has lived to see
with

by_day as (

    {{ retention(ref('user_days'), 'user_id', period='day', longest=90) }}

),

by_week as (

    {{ retention(ref('user_days'), 'user_id', period='week', longest=12) }}

),

by_period as (

    select * from by_day
    union all
    select * from by_week

),

final as (

    select
        {{ surrogate_key([
            'app_token', 'period', 'cast(cohort_date as varchar)', 'cast(period_n as varchar)',
        ]) }} as retention_key,
        app_token,
        period,
        cohort_date,
        period_n,
        case when period = 'day' then period_n end as day_n,
        cohort_users,
        cohort_users as eligible_users,
        retained_users,
        {{ safe_divide('retained_users', 'cohort_users') }} as rate
    from by_period

)

select * from final
