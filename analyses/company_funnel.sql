-- one row per (funnel, app_token, step): companies that took the step, whoever of them did
with

company_steps as (

    {{ funnel(ref('funnels'), id='company_id') }}

),

final as (

    select
        funnel,
        app_token,
        step,
        step_name,
        users as companies,
        conversion_from_first,
        conversion_from_previous,
        median_seconds_from_previous,
        p90_seconds_from_previous
    from company_steps

)

select * from final
order by funnel, app_token, step
