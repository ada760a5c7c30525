{% test all_shares_or_none(model) %}
    select
        app_token,
        experiment_id
    from {{ model }}
    group by app_token, experiment_id
    having count(planned_share) not in (0, count(*))
{% endtest %}
