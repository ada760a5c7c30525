{#- The order of ids, expressions for Jinja: numbers of any size by number, then texts. -#}
{% macro natural_order(id) %}
    {% set is_number = matches(id, '-?[0-9]+') %}
    {{ return([
        'case when ' ~ is_number ~ ' then ' ~ try_cast(id, 'double') ~ ' end nulls last',
        'case when ' ~ is_number ~ ' then length(' ~ id ~ ') end',
        id,
    ]) }}
{% endmacro %}
