{#- The order of ids: numbers of any size by number, then texts; a list of expressions for Jinja. -#}
{% macro natural_order(id) %}
    {% set number = 'case when ' ~ matches(id, '-?[0-9]+') ~ ' then ' ~ try_cast(id, 'double') ~ ' end' %}
    {{ return([
        number ~ ' nulls last',
        'case when ' ~ number ~ ' is not null then length(' ~ id ~ ') end',
        id,
    ]) }}
{% endmacro %}
