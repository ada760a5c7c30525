-- What do people do right after they signed up?
-- The three most frequent events at each of the first three steps after the sign-up, within its
-- session, as a share of the users who signed up. A user whose session is over takes no more steps;
-- the rows of two steps are not the same users one after the other.
with

ranked_events as (

    select
        *,
        row_number() over (
            partition by step
            order by user_count desc, event asc
        ) as place
    from marts.paths
    where
        app_token = 'NX-44A1B2C3'
        and anchor = 'Signed up'
        and direction = 'after'
        and step <= 3

)

select
    step,
    place,
    event,
    user_count as users,
    round(share, 3) as user_share
from ranked_events
where place <= 3
order by step, place
limit 10
