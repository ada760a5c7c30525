{% macro require_known_timezone() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set zone = var('reporting_timezone') %}
        {% if not is_known_timezone(zone) %}
            {% do exceptions.raise_compiler_error(
                'The var reporting_timezone is `' ~ zone ~ '`, which is no IANA time zone. '
                ~ 'Set it to a name such as UTC or Europe/Berlin in dbt_project.yml.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}
