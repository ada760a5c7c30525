{% test identifies(model, column_name, columns) %}
    select {{ column_name }}
    from (
        select distinct
            {{ column_name }},
            {{ columns | join(', ') }}
        from {{ model }}
    ) as combinations
    group by {{ column_name }}
    having count(*) > 1
{% endtest %}
