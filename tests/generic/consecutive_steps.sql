{% test consecutive_steps(model) %}
    select
        funnel,
        count(*) as step_count
    from {{ model }}
    where not coalesce(is_exclusion, false)
    group by funnel
    having
        count(distinct step) <> count(*)
        or min(step) <> 1
        or max(step) <> count(*)
    union all
    -- exclusions of a funnel that is not there
    select
        funnel,
        0 as step_count
    from {{ model }}
    group by funnel
    having count(case when not coalesce(is_exclusion, false) then 1 end) = 0
{% endtest %}
