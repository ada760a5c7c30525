{#- Adjusted p values never fall as p rises. In some engines least() skips NULL, hence the case. -#}
{% macro holm_p_value(step, p_value, partition_by) -%}
    case
        when {{ p_value }} is not null
            then least(
                1, max({{ step }}) over (partition by {{ partition_by }} order by {{ p_value }})
            )
    end
{%- endmacro %}
