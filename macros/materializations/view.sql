{#- A view that is left alone while it is what the project says. -#}
{% materialization view, adapter='duckdb' %}
    {% do run_model_hooks(pre_hooks) %}
    {% set view = this.incorporate(type='view') %}
    {% set existing = load_cached_relation(this) %}
    {% set inputs, built, _ = inputs_and_last_build() %}

    {% if existing and existing.is_view and not should_full_refresh()
        and built.definition == inputs.definition %}
        {% if built.comments != inputs.comments %}
            {% do run_query(comments_of_model(view)) %}
            {% do note_build(inputs) %}
        {% endif %}
        {% call noop_statement('main', 'UNCHANGED') %}{% endcall %}
    {% else %}
        {% do make_anew(view, existing, get_create_view_as_sql(view, compiled_code)) %}
        {% do note_build(inputs) %}
    {% endif %}
    {% do run_model_hooks(post_hooks) %}
    {{ return({'relations': [view]}) }}
{% endmaterialization %}
