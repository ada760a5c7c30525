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
{% endtest %}
