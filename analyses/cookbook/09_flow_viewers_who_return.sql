-- Do people who see a flow come back more often than others?
-- Viewers active again in the seven days after first seeing a flow, beside users who were active
-- while it ran and did not see it. This is an observation, not an effect: flows are shown to chosen
-- users, and only to those who are there. `low` and `high` are the 95 % interval of the difference
-- for chance alone, and of many flows some exclude 0 by chance. Flows 501 to 521 are variants of
-- experiments, whose verdicts are the better answer.
select
    flow_id,
    flow_name,
    viewer_users as viewers,
    round(viewer_return_rate, 3) as viewers_back,
    comparison_users as other_users,
    round(comparison_return_rate, 3) as others_back,
    round(difference, 4) as difference,
    round(difference_low, 4) as low,
    round(difference_high, 4) as high
from marts.flow_effectiveness
where app_token = 'NX-44A1B2C3'
order by viewer_users desc, flow_id asc
limit 10
