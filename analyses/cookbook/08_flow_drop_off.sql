-- At which step do people leave the welcome tour?
-- Users who saw and who finished each step of flow 493. `dropped_before` is the difference to those
-- who saw the step before: it is negative where a step can be reached another way. Users who
-- left at the last step show in `finished_share` alone.
select
    step_number as step,
    step_name,
    seen_users,
    dropped_users as dropped_before,
    completed_users as finished_users,
    round(1.0 * completed_users / nullif(seen_users, 0), 3) as finished_share
from marts.flow_steps
where app_token = 'NX-44A1B2C3' and flow_id = '493'
order by step_number, step_id
limit 10
