{% macro require_loaded_events() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set events = load_relation(source('raw', 'events')) %}
        {% if not events %}
            {% do exceptions.raise_compiler_error(
                'Nothing was loaded into ' ~ target.path ~ ' yet. '
                ~ 'Run `make load SOURCE=folder-of-exports` (or `make build` for the sample export) first.'
            ) %}
        {% elif 'changed_in' not in adapter.get_columns_in_relation(events) | map(attribute='name') %}
            {% do exceptions.raise_compiler_error(
                target.path ~ ' was made by an earlier version of this project. '
                ~ 'Run `make load` with the SOURCE it was loaded from, which brings it up to date.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}
