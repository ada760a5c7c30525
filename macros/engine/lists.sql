{#- The values of a group as a list. Two that are equal in the order come in any. -#}
{% macro list_in_order(value, order) %}
    {{ return(adapter.dispatch('list_in_order', 'userpilot_warehouse')(value, order)) }}
{% endmacro %}

{% macro duckdb__list_in_order(value, order) -%}
    {#- An aggregate with an order takes four times as long. -#}
    list_transform(
        list_sort(list({'place': {{ order }}, 'value': {{ value }}})),
        lambda one: struct_extract(one, 'value')
    )
{%- endmacro %}

{#- Whether two values of such a list are equal in the order; costs little beside the list. -#}
{% macro list_is_tied(value, order) %}
    {{ return(adapter.dispatch('list_is_tied', 'userpilot_warehouse')(value, order)) }}
{% endmacro %}

{% macro duckdb__list_is_tied(value, order) -%}
    list_unique(list_transform(
        list({'place': {{ order }}, 'value': {{ value }}}),
        lambda one: struct_extract(one, 'place')
    )) < count(*)
{%- endmacro %}

{#- The place, from 1, of the first value of a list that another list has too; NULL without one. -#}
{% macro first_place(values, wanted) %}
    {{ return(adapter.dispatch('first_place', 'userpilot_warehouse')(values, wanted)) }}
{% endmacro %}

{% macro duckdb__first_place(values, wanted) -%}
    list_min(list_transform({{ wanted }}, lambda one: list_position({{ values }}, one)))
{%- endmacro %}

{#- The values of a list from one place to another, as far as there are any. -#}
{% macro list_part(values, first, last) %}
    {{ return(adapter.dispatch('list_part', 'userpilot_warehouse')(values, first, last)) }}
{% endmacro %}

{% macro duckdb__list_part(values, first, last) -%}
    list_slice({{ values }}, greatest({{ first }}, 1), {{ last }})
{%- endmacro %}

{#- A select of the relation's rows, once for each value of a list, with it and its place. -#}
{% macro rows_of_list(relation, values, value, place) %}
    {{ return(adapter.dispatch('rows_of_list', 'userpilot_warehouse')(
        relation, values, value, place
    )) }}
{% endmacro %}

{% macro duckdb__rows_of_list(relation, values, value, place) -%}
    select
        *,
        unnest({{ values }}) as {{ value }},
        generate_subscripts({{ values }}, 1) as {{ place }}
    from {{ relation }}
{%- endmacro %}
