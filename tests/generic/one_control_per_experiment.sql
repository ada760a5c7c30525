{% test one_control_per_experiment(model) %}
    select
        app_token,
        experiment_id
    from {{ model }}
    where is_control
    group by app_token, experiment_id
    having count(*) > 1
{% endtest %}
