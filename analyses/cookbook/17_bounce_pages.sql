-- On which entry pages do sessions end before they began?
-- A bounce has one page view at most and no interaction, tracked or feature event. Pages with fewer
-- than 30 sessions are left out. `low` and `high` are the 95 % Wilson interval; it takes sessions
-- as independent, which those of one user are not, so it is too narrow. The sign-up page has no
-- bounce, since signing up is a tracked event.
with

pages as (

    select
        entry_pathname,
        count(*) as sessions,
        count(distinct user_key) as users,
        count(case when is_bounce then 1 end) as bounces
    from marts.sessions
    where app_token = 'NX-44A1B2C3' and entry_pathname is not null
    group by entry_pathname
    having count(*) >= 30

),

intervals as (

    select
        *,
        1.0 * bounces / sessions as bounce_rate,
        bounces + 1.920729 as centre,
        1.959964 * sqrt(1.0 * bounces * (sessions - bounces) / sessions + 0.960365) as width,
        sessions + 3.841459 as weight
    from pages

)

select
    entry_pathname,
    sessions,
    users,
    bounces,
    round(bounce_rate, 3) as bounce_rate,
    round(greatest(0, centre - width) / weight, 3) as low,
    round((centre + width) / weight, 3) as high
from intervals
order by bounce_rate desc, entry_pathname asc
limit 10
