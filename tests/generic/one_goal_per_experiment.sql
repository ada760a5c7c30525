{% test one_goal_per_experiment(model) %}
    select
        app_token,
        experiment_id
    from {{ model }}
    group by app_token, experiment_id
    having
        count(distinct goal_event_type) > 1
        or count(distinct goal_event_name) > 1
        or count(distinct goal_window_days) > 1
{% endtest %}
