{% macro require_loaded_events() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set events = source('raw', 'events') %}
        {% if not load_relation(events) %}
            {% do exceptions.raise_compiler_error(
                'Nothing was loaded into ' ~ target.path ~ ' yet. '
                ~ 'Run `make load SOURCE=folder-of-exports` (or `make build` for the sample export) first.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}
