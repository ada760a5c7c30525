{% test one_window_per_funnel(model) %}
    select funnel
    from {{ model }}
    group by funnel
    having count(distinct window_seconds) > 1 or count(window_seconds) not in (0, count(*))
{% endtest %}
