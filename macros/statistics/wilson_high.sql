{% macro wilson_high(successes, n) -%}
    case
        when {{ successes }} = {{ n }} and {{ n }} > 0 then 1
        when {{ successes }} >= 0 and {{ successes }} < {{ n }}
            then {{ wilson_bound(successes, n, '+') | indent(8) }}
    end
{%- endmacro %}
