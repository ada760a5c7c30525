-- Where does each plan lose people on the way to activation?
-- The funnel `activation` of `seeds/funnels.csv`, with those users only whose seven days have
-- passed, so that nobody counts as lost who may still get there. The plan is that of the user's
-- company today: a company that upgraded counts as paying from the start, which flatters the paying
-- plans. `low` and `high` are the 95 % Wilson interval of `activation_rate`; with so few activated
-- users the plans do not differ by more than chance.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

entries as (

    select
        funnel_users.max_step,
        coalesce(companies.plan, '(none)') as plan
    from marts.funnel_users
    cross join as_of
    inner join marts.users
        on funnel_users.user_key = users.user_key
    left join marts.companies
        on users.company_key = companies.company_key
    where
        funnel_users.app_token = 'NX-44A1B2C3'
        and funnel_users.funnel = 'activation'
        and funnel_users.entry_at < as_of.as_of_date - interval '7' day

),

plans as (

    select
        plan,
        count(*) as signed_up,
        count(case when max_step >= 2 then 1 end) as viewed_a_page,
        count(case when max_step >= 3 then 1 end) as used_a_feature,
        count(case when max_step >= 4 then 1 end) as activated
    from entries
    group by plan

),

intervals as (

    select
        *,
        1.0 * activated / signed_up as activation_rate,
        activated + 1.920729 as centre,
        1.959964 * sqrt(1.0 * activated * (signed_up - activated) / signed_up + 0.960365) as width,
        signed_up + 3.841459 as weight
    from plans

)

select
    plan,
    signed_up,
    viewed_a_page,
    used_a_feature,
    activated,
    round(activation_rate, 3) as activation_rate,
    round(greatest(0, centre - width) / weight, 3) as low,
    round((centre + width) / weight, 3) as high
from intervals
order by signed_up desc, plan asc
limit 10
