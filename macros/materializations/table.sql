{#-
    A table that always holds what its SQL says of all that was loaded, and follows it at the least
    cost:
      - nothing that it is made of has changed: it stays as it is (UNCHANGED);
      - events have changed, and `meta.cut` says how it can be cut: the rows of what those events
        touch are made anew, whatever their age (PART);
      - all else: all rows are made anew (OK), and the table too where its definition has changed.
    A model's SQL is written as if there were only the last way. It may be cut where rows of
    different `cut.by` have nothing to do with each other: date, session, user or company, or change,
    which is the event as the loader marked it. `cut.parents` are the models that the cut goes
    through, `cut.event_type` the only type that counts, if there is one, `cut.date` what a date is
    called here, `cut.sessions` the table that tells when a session was, if not this one, and
    `cut.text` the text of raw events, much of which is read slice by slice if it is long.
-#}
{% materialization table, adapter='duckdb' %}
    {% do run_model_hooks(pre_hooks) %}
    {% set table = this.incorporate(type='table') %}
    {% set existing = load_cached_relation(this) %}
    {% set cut = config.get('meta', {}).cut %}
    {% set inputs, built, is_outdated = inputs_and_last_build() %}

    {% if should_full_refresh() or existing is none or not existing.is_table
        or built.definition != inputs.definition %}
        {% for slice in slices_of_text(cut) %}
            {% set code = code_of_part(cut, slice) if slice else compiled_code %}
            {% if loop.first %}
                {% do make_anew(table, existing, create_table_as(false, table, code)) %}
            {% else %}
                {% do remake_rows(table, code, 'false') %}
            {% endif %}
        {% endfor %}
        {% do note_build(inputs) %}
    {% else %}
        {% do run_query(comments_of_model(table)) if built.comments != inputs.comments %}
        {% if not is_outdated %}
            {% call noop_statement('main', 'UNCHANGED') %}{% endcall %}
            {% do note_build(inputs) if built.comments != inputs.comments %}
        {% elif cut %}
            {% do remake_touched_rows(table, cut, built.version) %}
            {% do note_build(inputs) %}
            {{ store_raw_result('main', message='PART', code='', rows_affected='') }}
        {% else %}
            {% do remake_rows(table, compiled_code) %}
            {% do note_build(inputs) %}
        {% endif %}
    {% endif %}
    {% do run_model_hooks(post_hooks) %}
    {{ return({'relations': [table]}) }}
{% endmaterialization %}

{#- Drop, create and comment, in the transaction that `note_build` commits. -#}
{% macro make_anew(relation, existing, code) %}
    {% do drop_relation_if_exists(existing) if existing and existing.type != relation.type %}
    {% call statement('main') %}
        drop {{ relation.type }} if exists {{ relation }};
        {{ code }}
        {{ comments_of_model(relation) }}
    {% endcall %}
{% endmacro %}

{#- What the descriptions say in the database. -#}
{% macro comments_of_model(relation) %}
    {{ alter_relation_comment(relation, model.description) }}
    {% for column in model.columns.values() %}
        comment on column {{ relation }}.{{ adapter.quote(column.name) }}
        is {{ duckdb_escape_comment(column.description) }};
    {% endfor %}
{% endmacro %}

{#- Delete and insert, in the transaction that `note_build` commits. -#}
{% macro remake_rows(table, code, which='true') %}
    {% set columns = adapter.get_columns_in_relation(table) | map(attribute='quoted') | join(', ') %}
    {% call statement('main') %}
        delete from {{ table }} where {{ which }};
        insert into {{ table }} ({{ columns }})
        select {{ columns }}
        from (
            {{ code }}
        )
    {% endcall %}
{% endmacro %}

{#- The same for the rows that changed events touch: they are made of the touched parts of parents. -#}
{% macro remake_touched_rows(table, cut, since) %}
    {% set touched = 'touched_by_' ~ table.identifier %}
    {% do run_query(
        'create or replace temp table ' ~ touched ~ ' as '
        ~ touched_keys(cut.by, since, cut.event_type)
    ) %}
    {% set sessions = ref(cut.sessions) if cut.sessions else table %}
    {% set dates = touched_dates(cut.by, touched, sessions, since) %}
    {% set of_keys = '(' ~ columns_of_cut(cut.by) | join(', ') ~ ') in (from ' ~ touched ~ ')' %}
    {% set both = is_on(dates) ~ ' and ' ~ of_keys %}
    {% set in_parents = {
        'change': 'changed_in > ' ~ since, 'date': is_on(dates), 'session': both,
    }.get(cut.by, of_keys) %}
    {% set in_table = {'change': both, 'date': is_on(dates)}.get(cut.by, of_keys) %}
    {% set in_table = in_table | replace('occurred_date', cut.get('date', 'occurred_date')) %}
    {% for slice in slices_of_text(cut, of_keys) %}
        {% set where = [in_parents, slice] | select | join(' and ') %}
        {% do remake_rows(
            table, code_of_part(cut, where, dates), in_table if loop.first else 'false'
        ) %}
    {% endfor %}
    {% do run_query('drop table ' ~ touched) %}
{% endmacro %}

{#- The model's SQL with those rows of its parents that meet a condition and are around the dates. -#}
{% macro code_of_part(cut, where, dates=none) %}
    {% set part = namespace(code=compiled_code) %}
    {% for parent in cut.parents %}
        {% set relation = ref(parent) %}
        {% set around = is_around(dates)
            if dates and dates.rows and load_cached_relation(relation).is_view %}
        {% set part.code = part.code | replace(
            relation | string,
            '(select * from ' ~ relation ~ ' where '
            ~ [where, around] | select | join(' and ') ~ ')'
        ) %}
    {% endfor %}
    {{ return(part.code) }}
{% endmacro %}

{#-
    Conditions that cut the users or companies of a part into slices, each with so little long text
    that lists of it fit into memory; an empty one where that is all of them.
-#}
{% macro slices_of_text(cut, where='true') %}
    {% if not (cut or {}).text %}
        {{ return(['']) }}
    {% endif %}
    {% set bytes = run_query(
        'select coalesce(sum(strlen(' ~ cut.text ~ ')), 0) from ' ~ source('raw', 'events')
        ~ " where event_type = '" ~ cut.event_type ~ "' and " ~ is_long(cut.text) ~ ' and ' ~ where
    ).columns[0][0] %}
    {% set count = (bytes // 100000000 + 1) | int %}
    {% set number = digest_number(columns_of_cut(cut.by)[-1]) %}
    {% set slices = [] %}
    {% for n in range(count) %}
        {% do slices.append(number ~ ' % ' ~ count ~ ' = ' ~ n if count > 1 else '') %}
    {% endfor %}
    {{ return(slices) }}
{% endmacro %}
