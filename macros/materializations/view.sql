{#- A view that is left alone while it is what the project says: to make it takes a dozen statements. -#}
{% materialization view, adapter='duckdb' %}
    {% set view = this.incorporate(type='view') %}
    {% set existing = load_cached_relation(this) %}
    {% set inputs = inputs_of_model(model, compiled_code) %}
    {% set built = last_build() %}

    {% if existing and existing.is_view and not should_full_refresh()
        and built.definition == inputs.definition %}
        {% if built.comments != inputs.comments %}
            {% do persist_docs(view, model) %}
            {% do note_build(inputs) %}
        {% endif %}
        {% call noop_statement('main', 'UNCHANGED') %}{% endcall %}
    {% else %}
        {% do forget_build() %}
        {% do dbt.materialization_view_default() %}
        {% do note_build(inputs) %}
    {% endif %}
    {{ return({'relations': [view]}) }}
{% endmaterialization %}
