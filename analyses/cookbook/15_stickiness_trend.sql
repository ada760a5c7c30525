-- Do people come more often than they used to?
-- The last ten whole weeks: mean daily users of the workdays, users of the week and of the 28 days
-- up to its Sunday, and the mean stickiness of the workdays (daily over 28-day users). Weekly users
-- are `wau` on Sunday: daily users must not be summed, as many come on several days. More users
-- with the same stickiness are more people, not a better habit. In the first four weeks of an
-- export the 28 days are not full, and stickiness is too high.
with

as_of as (

    select max(activity_date) as as_of_date
    from marts.daily_activity

),

days as (

    select
        daily_activity.*,
        cast(date_trunc('week', daily_activity.activity_date) as date) as week_of,
        extract(isodow from daily_activity.activity_date) as iso_weekday
    from marts.daily_activity
    where daily_activity.app_token = 'NX-44A1B2C3'

)

select
    days.week_of,
    round(avg(case when days.iso_weekday <= 5 then days.dau end), 1) as daily_users,
    max(case when days.iso_weekday = 7 then days.wau end) as weekly_users,
    max(case when days.iso_weekday = 7 then days.mau end) as users_28d,
    round(avg(case when days.iso_weekday <= 5 then days.stickiness end), 3) as stickiness
from days
cross join as_of
where
    days.week_of <= as_of.as_of_date - interval '6' day
    and days.week_of > as_of.as_of_date - interval '76' day
group by days.week_of
order by days.week_of
limit 10
