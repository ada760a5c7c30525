-- Which variant won?
-- A verdict needs a split that is as planned, and a difference to the control that remains after
-- Holm's correction. The intervals are those of 95 % and not corrected, so with three variants go
-- by the verdict. "No difference shown" is not "the same": the interval of the difference tells how
-- large it may still be. Look once, at the planned end; where fewer than ten users of a variant
-- converted or did not, the test is rough.
select
    coalesce(experiment_name, experiment_id) as experiment,
    variant,
    clean_users as users,
    converted_users as converted,
    round(conversion_rate, 3) as rate,
    round(conversion_rate_low, 3) as rate_low,
    round(conversion_rate_high, 3) as rate_high,
    round(difference, 3) as difference,
    round(difference_low, 3) as difference_low,
    round(difference_high, 3) as difference_high,
    case
        when has_srm then 'none: the split is broken'
        when is_reference then 'control'
        when holm_p_value < 0.05 and difference > 0 then 'better'
        when holm_p_value < 0.05 and difference < 0 then 'worse'
        else 'no difference shown'
    end as verdict
from marts.experiment_variants
where app_token = 'NX-44A1B2C3'
order by experiment_id, variant
limit 10
