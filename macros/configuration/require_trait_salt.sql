{% macro require_trait_salt() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') and var('traits_to_hash') %}
        {% if not has_trait_salt() %}
            {% do exceptions.raise_compiler_error(
                'The var traits_to_hash names traits to hash, but there is no salt. '
                ~ 'Set the environment variable DBT_ENV_SECRET_TRAIT_SALT to a long random text, '
                ~ 'the same for every build.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}
