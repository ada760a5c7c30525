{#- The columns that tell what a row belongs to; an event's own columns give them too. -#}
{% macro columns_of_cut(by) %}
    {{ return({
        'change': ['event_key'],
        'event': ['event_key'],
        'date': ['occurred_date'],
        'session': ['session_key'],
        'user': ['app_token', 'user_id'],
        'company': ['app_token', 'company_id'],
    }[by]) }}
{% endmacro %}

{#-
    What the events touch that the loads after `since` brought, changed or took out: every event,
    date, session, user or company that one of them has or had.
-#}
{% macro touched_keys(by, since) -%}
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
{%- endmacro %}

{#-
    Dates on which the events of what is touched lie, as SQL literals, which lets DuckDB pass over
    the rest of a table. Only for the cuts that have such dates.
-#}
{% macro touched_dates(by, touched, sessions, since) -%}
    {%- set of_events = touched_keys('date', since) -%}
    {%- if by == 'date' -%}
        {%- set dates = 'select occurred_date from ' ~ touched -%}
    {%- elif by in ('change', 'event') -%}
        {%- set dates = of_events -%}
    {%- elif by == 'session' -%}
        {%- set dates = of_events ~ ' union ' ~ dates_of_sessions(sessions, touched) -%}
    {%- else -%}
        {%- set dates = 'select null where false' -%}
    {%- endif -%}
    {%- set found = run_query('select cast(columns(*) as varchar) from (' ~ dates ~ ')') -%}
    {%- for date in found.columns[0].values() -%}
        date '{{ date }}' {{- ', ' if not loop.last }}
    {%- else -%}
        null
    {%- endfor -%}
{%- endmacro %}

{#- A day more at either end, for zones in which the clock was once set back past midnight. -#}
{% macro dates_of_sessions(sessions, touched) -%}
    select cast(unnest(generate_series(
        {{ date_in_zone('started_at') }} - 1, {{ date_in_zone('ended_at') }} + 1, interval '1 day'
    )) as date)
    from {{ sessions }}
    where session_key in (from {{ touched }})
{%- endmacro %}
