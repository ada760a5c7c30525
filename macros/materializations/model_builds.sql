{#-
    What each table and view is made of, so that it is made anew exactly when that changes.
    `definition` sums up its SQL and its contract, the definitions of the models before it, the columns
    of the raw tables, the rows of the seeds (and of models with `meta.is_input`) and the salt;
    `version` is the load up to which a table follows the raw tables; `comments` sums up the
    descriptions that it has in the database.
-#}
{% macro create_model_builds() %}
    {% if execute and flags.WHICH in ('build', 'run', 'seed', 'test') %}
        {% do run_query(
            'create schema if not exists ' ~ model_builds().schema ~ ';'
            ~ 'create table if not exists ' ~ model_builds()
            ~ ' (model varchar, definition varchar, version bigint);'
            ~ 'alter table ' ~ model_builds() ~ ' add column if not exists comments varchar'
        ) %}
    {% endif %}
{% endmacro %}

{#-
    Tables and views of models that are no more, or are now made in another way: readers would take
    them for kept up to date.
-#}
{% macro drop_former_relations() %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% set names = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' %}
            {% do names.append(node.schema ~ '.' ~ node.alias)
                if node.config.materialized in ('table', 'view') %}
        {% endfor %}
        {% set former = run_query(
            'select model from ' ~ model_builds()
            ~ ' where model not in (' ~ quoted_list(names) ~ ')'
        ).columns[0].values() %}
        {% for name in former %}
            {% set schema, identifier = name.split('.') %}
            {% do drop_relation_if_exists(adapter.get_relation(target.database, schema, identifier)) %}
            {% do run_query('delete from ' ~ model_builds() ~ " where model = '" ~ name ~ "'") %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro model_builds() %}
    {{ return(api.Relation.create(
        database=target.database, schema='intermediate', identifier='model_builds'
    )) }}
{% endmacro %}

{#- What the relation is to be made of now, what it was made of last, and whether loads outdate it. -#}
{% macro inputs_and_last_build() %}
    {% set parents = {'sources': [], 'views': [], 'tables': [], 'rows': []} %}
    {% do collect_parents(model, parents) %}
    {% set own = local_md5(compiled_code ~ (model.contract.checksum or '')) %}
    {% set found = run_query(inputs_sql(parents, own)).rows[0] %}
    {% set comments = [model.description] %}
    {% for column in model.columns.values() %}
        {% do comments.append(column.name ~ ' ' ~ column.description) %}
    {% endfor %}
    {{ return((
        {
            'definition': found.definition,
            'version': found.version,
            'comments': local_md5(comments | join('|')),
        },
        {
            'definition': found.built_definition,
            'version': found.built_version,
            'comments': found.built_comments,
        },
        found.is_outdated,
    )) }}
{% endmacro %}

{#- The models and seeds that decide what is in a table, up to the next tables. -#}
{% macro collect_parents(node, parents) %}
    {% for unique_id in node.depends_on.nodes if unique_id in graph.sources %}
        {% set source = graph.sources[unique_id] %}
        {% do parents.sources.append(source.schema ~ '.' ~ source.identifier) %}
    {% endfor %}
    {% for unique_id in node.depends_on.nodes if unique_id in graph.nodes %}
        {% set parent = graph.nodes[unique_id] %}
        {% set name = parent.schema ~ '.' ~ parent.alias %}
        {% if parent.resource_type == 'seed' or parent.config.meta.get('is_input') %}
            {% do parents.rows.append(name) %}
        {% elif parent.config.materialized == 'view' %}
            {% if name not in parents.views %}
                {% do parents.views.append(name) %}
                {% do collect_parents(parent, parents) %}
            {% endif %}
        {% else %}
            {% do parents.tables.append(name) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro inputs_sql(parents, own) -%}
    with parts as (
        select
            '{{ own }}' as part,
            (select coalesce(max(load_id), 0) from {{ source('raw', 'loads') }}) as version
        union all
        select concat_ws('|', table_name, column_index, column_name, data_type), null
        from duckdb_columns()
        where schema_name || '.' || table_name in ({{ quoted_list(parents.sources) or 'null' }})
        union all
        select
            model || definition,
            case when model in ({{ quoted_list(parents.tables) or 'null' }}) then version end
        from {{ model_builds() }}
        where model in ({{ quoted_list(parents.views + parents.tables) or 'null' }})
        {%- for name in parents.rows | unique | sort %}
        union all
        select
            '{{ name }}' || count(*) || coalesce(sum(cast(hash(seed) as hugeint)), 0),
            null
        from {{ name }} as seed
        {%- endfor %}
        {%- if var('traits_to_hash') %}
        union all
        select getvariable('trait_salt'), null
        {%- endif %}
    ),

    inputs as (
        select
            md5(string_agg(part, '|' order by part)) as definition,
            min(version) as version
        from parts
    )

    select
        inputs.definition,
        inputs.version,
        built.definition as built_definition,
        built.version as built_version,
        built.comments as built_comments,
        {% if config.get('meta', {}).follows == 'loads' -%}
        built.version is distinct from inputs.version
        {%- else -%}
        built.version is distinct from inputs.version and exists (
            select 1 from {{ source('raw', 'loads') }}
            where load_id > built.version and changed_events + changed_records > 0
        )
        {%- endif %} as is_outdated
    from inputs
    left join {{ model_builds() }} as built on built.model = '{{ built_name() }}'
{%- endmacro %}

{% macro built_name() %}
    {{ return(this.schema ~ '.' ~ this.identifier) }}
{% endmacro %}

{#- Once a relation is what it says; commits. -#}
{% macro note_build(inputs) %}
    {% call statement('note_build') %}
        delete from {{ model_builds() }} where model = '{{ built_name() }}';
        insert into {{ model_builds() }} (model, definition, version, comments)
        values (
            '{{ built_name() }}', '{{ inputs.definition }}', {{ inputs.version }},
            '{{ inputs.comments }}'
        )
    {% endcall %}
    {% do adapter.commit() %}
{% endmacro %}
