{#-
    Counts of use over a group of events, ever and in the 28 dates up to the as-of date, which the
    relation must carry as `as_of_date`.
-#}
{% macro use_counts(verb) -%}
    {%- set is_recent -%}
        occurred_date <= as_of_date and {{ dbt.datediff('occurred_date', 'as_of_date', 'day') }} < 28
    {%- endset -%}
    count(*) as event_count,
        count(distinct user_id) as user_count,
        count(case when {{ is_recent }} then 1 end) as event_count_28d,
        count(distinct case when {{ is_recent }} then user_id end) as user_count_28d,
        min(occurred_at) as first_{{ verb }}_at,
        max(occurred_at) as last_{{ verb }}_at
{%- endmacro %}
