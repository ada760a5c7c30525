{#-
    Funnels over whatever id the events carry: whose events fit the steps, one after the other,
    within the window. `funnel` and `funnel_users` are for analyses and models; the others are their
    parts, on which the marts stand.
-#}
{% macro funnel(steps, id='user_id', window_seconds=none, name='funnel', events=none) -%}
    with

    {{ funnel_attempts_of(steps, id, window_seconds, name, events) }},

    conversions as (

        {{ funnel_conversions('attempts', 'steps') | indent(4) }}

    )

    select * from conversions
{%- endmacro %}

{#- The same, one row for each id. -#}
{% macro funnel_users(
    steps, id='user_id', window_seconds=none, name='funnel', events=none, as_of=none
) -%}
    with

    {{ funnel_attempts_of(steps, id, window_seconds, name, events) }},

    judged_attempts as (

        {{ funnel_openness('attempts', 'steps', as_of) | indent(4) }}

    )

    select
        funnel,
        app_token,
        {{ id }},
        {{ join_timestamps('step_ats', ',') }} as step_times,
        max_step,
        is_open,
        entry_at
    from judged_attempts
{%- endmacro %}

{#- CTEs from the declared steps to the attempts. -#}
{% macro funnel_attempts_of(
    steps, id='user_id', window_seconds=none, name='funnel', events=none, names=none
) -%}
    steps as (

        {{ funnel_declaration(steps, window_seconds, name) | indent(4) }}

    ),

    takers as (

        {{ funnel_takers(id, events) | indent(4) }}

    ),

    matches as (

        {{ funnel_matches('steps', 'takers', id, events, names) | indent(4) }}

    ),

    runs as (

        {{ funnel_runs('matches', 'takers', 'steps', id) | indent(4) }}

    ),

    run_matches as (

        {{ funnel_run_matches('runs', 'matches') | indent(4) }}

    ),

    entries as (

        {{ funnel_entries('runs', 'run_matches') | indent(4) }}

    ),

    attempts as (

        {{ funnel_attempts('runs', 'run_matches', 'entries', id) | indent(4) }}

    )
{%- endmacro %}

{#- The rows that declare a funnel: a relation as it is, or a list of steps in its order. -#}
{% macro funnel_declaration(steps, window_seconds=none, name='funnel') %}
    {% do check_funnel_declaration(steps, window_seconds) %}
    {% if steps is string or steps is mapping %}
        {{ return('select * from ' ~ steps) }}
    {% endif %}
    {% set rows = [] %}
    {% for step in steps | rejectattr('is_exclusion') %}
        {% do rows.append(funnel_declared_step(step, loop.index, window_seconds, name)) %}
    {% endfor %}
    {% for step in steps | selectattr('is_exclusion') %}
        {% do rows.append(funnel_declared_step(step, none, window_seconds, name)) %}
    {% endfor %}
    {{ return(rows | join('\n    union all\n    ')) }}
{% endmacro %}

{#- A step of a list as a row; an exclusion has no number. -#}
{% macro funnel_declared_step(step, number, window_seconds, name) -%}
    select
        {{ quoted_list([name]) }} as funnel,
        cast({{ 'null' if number is none else number }} as bigint) as step,
        {{ funnel_cell(step, 'step_name') }} as step_name,
        {{ funnel_cell(step, 'event_type') }} as event_type,
        {{ funnel_cell(step, 'event_name') }} as event_name,
        {{ funnel_cell(step, 'entity_type') }} as entity_type,
        {{ funnel_cell(step, 'entity_id') }} as entity_id,
        {{ funnel_cell(step, 'interaction_status') }} as interaction_status,
        cast({{ 'null' if window_seconds is none else window_seconds }} as double)
            as window_seconds,
        {{ 'true' if number is none else 'false' }} as is_exclusion
{%- endmacro %}

{#- What a step asks of a column, as a literal, never as SQL. -#}
{% macro funnel_cell(step, key) -%}
    {{ quoted_list([step[key]]) if key in step else 'cast(null as varchar)' }}
{%- endmacro %}

{#- A condition that is misspelled, or without a value, would be one that every event meets. -#}
{% macro check_funnel_declaration(steps, window_seconds) %}
    {% set known = [
        'step_name', 'event_type', 'event_name', 'entity_type', 'entity_id', 'interaction_status',
        'is_exclusion',
    ] %}
    {% set is_list = steps is not string and steps is not mapping %}
    {% if window_seconds is not none and not (is_list and window_seconds is number) %}
        {% do exceptions.raise_compiler_error(
            'window_seconds is a number, for a list of steps; a relation has it as a column.'
        ) %}
    {% endif %}
    {% if is_list and not steps | rejectattr('is_exclusion') | list %}
        {% do exceptions.raise_compiler_error('A funnel needs a step that is no exclusion.') %}
    {% endif %}
    {% for step in (steps if is_list else []) %}
        {#- To Jinja the text 'false' is true. -#}
        {% if 'is_exclusion' in step and step['is_exclusion'] is not boolean %}
            {% do exceptions.raise_compiler_error(
                "is_exclusion is true or false, without quotes, not '" ~ step['is_exclusion'] ~ "'."
            ) %}
        {% endif %}
        {% for key in step if key not in known or step[key] is none or step[key] | string == '' %}
            {% do exceptions.raise_compiler_error(
                'A step of a funnel has ' ~ key ~ " = '" ~ step[key] ~ "'; it may have "
                ~ known | join(', ') ~ ', each with a value.'
            ) %}
        {% endfor %}
    {% endfor %}
{% endmacro %}

{#- A number for each id of each app: events are sorted over and over, and numbers are cheaper. -#}
{% macro funnel_takers(id='user_id', events=none) -%}
    select
        app_token,
        {{ id }},
        row_number() over (order by app_token, {{ id }}) as taker_no
    from {{ ref('events') if events is none else events }}
    where {{ id }} is not null
    group by app_token, {{ id }}
{%- endmacro %}

{#-
    Events that fit a step, for each taker; step 0 stands for the exclusions. `names` tells which events
    there are, where that is known without reading all.
-#}
{% macro funnel_matches(steps, takers, id='user_id', events=none, names=none) -%}
    with

    identified_events as {{ inlined() }} (

        select * from {{ ref('events') if events is none else events }}
        where {{ id }} is not null

    ),

    matching_names as (

        {{ matching_names(names or 'identified_events', steps) | indent(4) }}

    )

    select
        matching_names.funnel,
        case when coalesce(matching_names.is_exclusion, false) then 0 else matching_names.step end
            as step,
        takers.taker_no,
        identified_events.occurred_at as matched_at
    from identified_events
    inner join matching_names
        on
            identified_events.event_type = matching_names.matched_type
            and identified_events.event_name is not distinct from matching_names.matched_name
    inner join {{ takers }} as takers
        on
            identified_events.app_token = takers.app_token
            and identified_events.{{ id }} = takers.{{ id }}
{%- endmacro %}

{#-
    Who entered which funnel, under one number, with the moments between which a match can count for
    any of the attempts.
-#}
{% macro funnel_runs(matches, takers, steps, id='user_id') -%}
    with

    windows as (

        select
            funnel,
            max(window_seconds) as window_seconds
        from {{ steps }}
        group by funnel

    ),

    entered as (

        select
            funnel,
            taker_no,
            row_number() over (order by funnel, taker_no) as run_no,
            min(matched_at) as first_entry_at,
            max(matched_at) as last_entry_at
        from {{ matches }}
        where step = 1
        group by funnel, taker_no

    )

    select
        entered.run_no,
        entered.funnel,
        entered.taker_no,
        takers.app_token,
        takers.{{ id }},
        windows.window_seconds,
        entered.first_entry_at,
        greatest(
            entered.last_entry_at,
            coalesce(
                {{ add_seconds('entered.last_entry_at', 'windows.window_seconds') }},
                {{ end_of_time() }}
            )
        ) as last_moment_at
    from entered
    inner join windows on entered.funnel = windows.funnel
    inner join {{ takers }} as takers on entered.taker_no = takers.taker_no
{%- endmacro %}

{#- The matches that can count: many are long after the last entry, or nobody entered before. -#}
{% macro funnel_run_matches(runs, matches) -%}
    select
        runs.run_no,
        matches.step,
        matches.matched_at
    from {{ matches }} as matches
    inner join {{ runs }} as runs
        on
            matches.funnel = runs.funnel
            and matches.taker_no = runs.taker_no
            and matches.matched_at >= runs.first_entry_at
            and matches.matched_at <= runs.last_moment_at
{%- endmacro %}

{#- Attempts: every match of the first step, with the last moment that counts for it. -#}
{% macro funnel_entries(runs, run_matches) -%}
    with

    followed as (

        select
            *,
            min(case when step = 0 then matched_at end) over (
                {{ funnel_later('matched_at', 'step desc') }}
            ) as excluded_at
        from {{ run_matches }}
        where step in (0, 1)

    )

    select distinct
        followed.run_no,
        followed.matched_at as entry_at,
        least(
            coalesce(
                {{ add_seconds('followed.matched_at', 'runs.window_seconds') }}, {{ end_of_time() }}
            ),
            coalesce(followed.excluded_at, {{ end_of_time() }})
        ) as ends_at
    from followed
    inner join {{ runs }} as runs on followed.run_no = runs.run_no
    where followed.step = 1
{%- endmacro %}

{#-
    A window of what is later in a run. Of rows at one moment, `at_once` has those first that look for
    others. To come from the end is cheaper than to search, for each row, where later begins.
-#}
{% macro funnel_later(at, at_once) -%}
    partition by run_no
    order by {{ at }} desc, {{ at_once }}
    rows between unbounded preceding and current row
{%- endmacro %}

{#-
    The attempt that counts: the deepest, and of several the first. Each round takes the next step of
    what was reached, which is far less than all that matched.
-#}
{% macro funnel_attempts(runs, run_matches, entries, id='user_id') -%}
    with recursive

    taken as (

        select
            run_no,
            entry_at,
            ends_at,
            cast(1 as bigint) as step,
            entry_at as step_at
        from {{ entries }}
        union all
        select
            run_no,
            entry_at,
            ends_at,
            step + 1 as step,
            next_at as step_at
        from (
            select
                *,
                min(case when is_next then step_at end) over (
                    {{ funnel_later('step_at', 'is_next asc') }}
                ) as next_at
            from (
                select
                    run_no,
                    entry_at,
                    ends_at,
                    step,
                    step_at,
                    false as is_next
                from taken
                union all
                select
                    run_no,
                    null as entry_at,
                    null as ends_at,
                    step,
                    matched_at as step_at,
                    true as is_next
                from {{ run_matches }}
                -- As a difference it is no join, which would cost more.
                where step > 1 and step - (select max(taken.step) from taken) = 1
            ) as taken_and_next
        ) as followed
        where not is_next and next_at <= ends_at

    ),

    deepest as (

        select
            run_no,
            max(step) as step
        from taken
        group by run_no

    ),

    counting as (

        select
            taken.run_no,
            min(taken.entry_at) as entry_at
        from taken
        inner join deepest on taken.run_no = deepest.run_no and taken.step = deepest.step
        group by taken.run_no

    ),

    reached as (

        select
            taken.run_no,
            min(taken.entry_at) as entry_at,
            max(taken.step) as max_step,
            {{ sorted_list('taken.step_at') }} as step_ats
        from taken
        inner join counting
            on taken.run_no = counting.run_no and taken.entry_at = counting.entry_at
        group by taken.run_no

    )

    select
        runs.funnel,
        runs.app_token,
        runs.{{ id }},
        reached.entry_at,
        {{ add_seconds('reached.entry_at', 'runs.window_seconds') }} as window_ends_at,
        reached.max_step,
        reached.step_ats
    from reached
    inner join {{ runs }} as runs on reached.run_no = runs.run_no
{%- endmacro %}

{#- How many ids took each step, held against the first and the previous step. -#}
{% macro funnel_conversions(attempts, steps) -%}
    {%- set seconds = seconds_between(value_at('step_ats', 'step - 1'), 'step_at') -%}
    with

    taken_steps as (

        {{ rows_of_list(attempts, 'step_ats', 'step_at', 'step') | indent(4) }}

    ),

    counted as (

        select
            funnel,
            app_token,
            step,
            count(*) as users,
            {{ quantile(seconds, 0.5) }} as median_seconds_from_previous,
            {{ quantile(seconds, 0.9) }} as p90_seconds_from_previous
        from taken_steps
        group by funnel, app_token, step

    ),

    entered as (

        select
            funnel,
            app_token,
            users as entered_users
        from counted
        where step = 1

    ),

    all_steps as (

        select
            declared.funnel,
            entered.app_token,
            declared.step,
            declared.step_name,
            coalesce(counted.users, 0) as users,
            entered.entered_users,
            counted.median_seconds_from_previous,
            counted.p90_seconds_from_previous
        from entered
        inner join {{ steps }} as declared on entered.funnel = declared.funnel
        left join counted
            on
                entered.funnel = counted.funnel
                and entered.app_token = counted.app_token
                and declared.step = counted.step
        where declared.step is not null and not coalesce(declared.is_exclusion, false)

    ),

    with_previous as (

        select
            *,
            lag(users) over (partition by funnel, app_token order by step) as previous_users
        from all_steps

    )

    select
        funnel,
        app_token,
        step,
        step_name,
        users,
        {{ safe_divide('users', 'entered_users') }} as conversion_from_first,
        {{ safe_divide('users', 'previous_users') }} as conversion_from_previous,
        median_seconds_from_previous,
        p90_seconds_from_previous
    from with_previous
{%- endmacro %}

{#- The attempts, with whether they may still get further. -#}
{% macro funnel_openness(attempts, steps, as_of=none) -%}
    with

    lengths as (

        select
            funnel,
            max(step) as last_step
        from {{ steps }}
        where not coalesce(is_exclusion, false)
        group by funnel

    ),

    as_of as (

        select {{ as_of_date() if as_of is none else as_of }} as as_of_date

    )

    select
        attempts.*,
        attempts.max_step < lengths.last_step
        and coalesce(
            attempts.window_ends_at
            > {{ start_of_date_in_utc(dbt.dateadd('day', 1, 'as_of.as_of_date')) }},
            true
        ) as is_open
    from {{ attempts }} as attempts
    inner join lengths on attempts.funnel = lengths.funnel
    cross join as_of
{%- endmacro %}
