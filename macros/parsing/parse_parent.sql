{#-
    `survey_13` is parent_type `survey` and parent_id `13`: split at the last underscore.
    What does not split into two parts is an id without a type.
-#}
{% macro parent_id(prefixed_id) -%}
    case
        when {{ matches(prefixed_id, '(?s).+_[^_]+') }} then {{ split_nth(prefixed_id, '_', -1) }}
        else {{ prefixed_id }}
    end
{%- endmacro %}

{% macro parent_type(prefixed_id) -%}
    case
        when {{ matches(prefixed_id, '(?s).+_[^_]+') }} then substring(
            {{ prefixed_id }},
            1,
            length({{ prefixed_id }}) - length({{ split_nth(prefixed_id, '_', -1) }}) - 1
        )
    end
{%- endmacro %}
