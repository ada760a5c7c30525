{#- The columns that tell what a row belongs to; an event's own columns give them too. -#}
{% macro columns_of_cut(by) %}
    {{ return({
        'change': ['event_key'],
        'date': ['occurred_date'],
        'session': ['session_key'],
        'user': ['app_token', 'user_id'],
        'company': ['app_token', 'company_id'],
    }[by]) }}
{% endmacro %}

{#-
    What the events touch that the loads after `since` brought, changed or took out: every event,
    date, session, user or company that one of them has or had; of one event type, if it is given.
-#}
{% macro touched_keys(by, since, event_type=none) -%}
    {%- set columns = [
        'app_token', 'internal_event_id', 'event_type', 'event_name', 'user_id', 'company_id',
        'session', 'inserted_at',
    ] | join(', ') -%}
    {%- set computed = {
        'event_key': event_key('inserted_at'),
        'occurred_date': date_in_zone('inserted_at'),
        'session_key': session_key(),
    } -%}
    select distinct
        {%- for column in columns_of_cut(by) %}
        {{ computed.get(column, column) }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select {{ columns }} from {{ source('raw', 'events') }} where changed_in > {{ since }}
        union all
        select {{ columns }} from {{ source('raw', 'former_events') }} where changed_in > {{ since }}
    ) as changed_events
    {{- " where event_type = '" ~ event_type ~ "'" if event_type }}
{%- endmacro %}

{#-
    Dates on which the events of what is touched lie, for the cuts that have such dates, as text.
    `period_start` and `period_end` enclose dates that follow each other closely, and all instants
    that are on them in any time zone. None where the dates are too many to name.
-#}
{% macro touched_dates(by, touched, sessions, since) -%}
    {%- set of_events = touched_keys('date', since) -%}
    {%- if by == 'date' -%}
        {%- set dates = 'select occurred_date from ' ~ touched -%}
    {%- elif by == 'change' -%}
        {%- set dates = of_events -%}
    {%- elif by == 'session' -%}
        {%- set dates = of_events ~ ' union ' ~ dates_of_sessions(sessions, touched) -%}
    {%- else -%}
        {%- set dates = 'select cast(null as date) where false' -%}
    {%- endif -%}
    {% set query %}
        with
        dates (occurred_date) as ({{ dates }}),
        gaps as (
            select
                occurred_date,
                occurred_date - lag(occurred_date) over (order by occurred_date) > 7 as is_after_gap
            from dates
        ),
        periods as (
            select
                occurred_date,
                count(case when is_after_gap then 1 end) over (order by occurred_date) as period
            from gaps
        )
        select
            cast(occurred_date as varchar) as occurred_date,
            cast(min(occurred_date) over (partition by period) - 1 as varchar) as period_start,
            cast(max(occurred_date) over (partition by period) + 2 as varchar) as period_end
        from periods
    {% endset %}
    {%- set found = run_query(query) -%}
    {{- return(none if none in found.columns[0].values() else found) -}}
{%- endmacro %}

{#- That something is on one of the dates, where they are named. -#}
{% macro is_on(dates) -%}
    {%- if dates is none -%}
        true
    {%- else -%}
        occurred_date in (
            {%- for date in dates.columns[0].values() %}date '{{ date }}'{{ ', ' if not loop.last }}
            {%- else %}null{% endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{#-
    That an event is in one of their periods. Events are a view of what is stored by instants: with
    literals of those DuckDB can pass over the rest.
-#}
{% macro is_around(dates) -%}
    (
        {%- for start, end in dates.select(['period_start', 'period_end']).distinct().rows -%}
        occurred_at >= date '{{ start }}' and occurred_at < date '{{ end }}'
        {{- ' or ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{#-
    A day more at either end, for zones in which the clock was once set back past midnight. A session
    of years, as a clock that is wrong makes them, has NULL: there are too many to name.
-#}
{% macro dates_of_sessions(sessions, touched) -%}
    select cast(unnest(case
        when ended_at > started_at + interval '1000 days' then [null]
        else generate_series(
            {{ date_in_zone('started_at') }} - 1, {{ date_in_zone('ended_at') }} + 1, interval '1 day'
        )
    end) as date)
    from {{ sessions }}
    where session_key in (from {{ touched }})
{%- endmacro %}
