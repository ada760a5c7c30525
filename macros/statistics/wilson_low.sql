{% macro wilson_low(successes, n) -%}
    case
        when {{ successes }} = 0 and {{ n }} > 0 then 0
        when {{ successes }} > 0 and {{ successes }} <= {{ n }}
            then {{ wilson_bound(successes, n, '-') | indent(8) }}
    end
{%- endmacro %}
