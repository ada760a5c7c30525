{% test no_gap_in_time(model, key) %}
    select *
    from (
        select
            *,
            lead(valid_from) over (
                partition by {{ key }}
                order by valid_from, valid_to nulls last
            ) as next_valid_from
        from {{ model }}
    ) as periods
    where valid_to < valid_from or valid_to is distinct from next_valid_from
{% endtest %}
