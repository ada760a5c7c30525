{#-
    Whole numbers of a group as a list, by another whole number; those of one place in the order come
    in any. To sort a list is faster than an aggregate with an order. Each value and its place are one
    number, the place in the upper half, until `list_part` takes values out: lists of anything wider
    take memory that DuckDB cannot free.
-#}
{% macro list_in_order(value, order) %}
    {{ return(adapter.dispatch('list_in_order', 'userpilot_warehouse')(value, order)) }}
{% endmacro %}

{% macro duckdb__list_in_order(value, order) -%}
    list_sort({{ duckdb__placed_values(value, order) }})
{%- endmacro %}

{#- Whether two values of such a list have the same place; costs little beside the list. -#}
{% macro list_is_tied(value, order) %}
    {{ return(adapter.dispatch('list_is_tied', 'userpilot_warehouse')(value, order)) }}
{% endmacro %}

{% macro duckdb__list_is_tied(value, order) -%}
    list_unique(
        list_transform({{ duckdb__placed_values(value, order) }}, lambda one: cast(one >> 64 as bigint))
    ) < count(*)
{%- endmacro %}

{% macro duckdb__placed_values(value, order) -%}
    list({{ duckdb__at_place(order) }} + {{ value }})
{%- endmacro %}

{% macro duckdb__at_place(order) -%}
    cast({{ order }} as hugeint) * 18446744073709551616
{%- endmacro %}

{#- At which place, from 1, such a list has what comes first from a point in the order on. -#}
{% macro place_in_list(values, order) %}
    {{ return(adapter.dispatch('place_in_list', 'userpilot_warehouse')(values, order)) }}
{% endmacro %}

{% macro duckdb__place_in_list(values, order) -%}
    1 + len(list_filter({{ values }}, lambda one: one < {{ duckdb__at_place(order) }}))
{%- endmacro %}

{#- The values of such a list from one place to another, as far as there are any. -#}
{% macro list_part(values, first, last) %}
    {{ return(adapter.dispatch('list_part', 'userpilot_warehouse')(values, first, last)) }}
{% endmacro %}

{% macro duckdb__list_part(values, first, last) -%}
    list_transform(
        list_slice({{ values }}, greatest({{ first }}, 1), {{ last }}),
        lambda one: cast(one & 18446744073709551615 as ubigint)
    )
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

{#- The values of a group as a list, in their own order. -#}
{% macro sorted_list(value) %}
    {{ return(adapter.dispatch('sorted_list', 'userpilot_warehouse')(value)) }}
{% endmacro %}

{% macro duckdb__sorted_list(value) -%}
    list_sort(list({{ value }}))
{%- endmacro %}

{#- The value of a list at a place, from 1; NULL where it has none. -#}
{% macro value_at(values, place) %}
    {{ return(adapter.dispatch('value_at', 'userpilot_warehouse')(values, place)) }}
{% endmacro %}

{% macro duckdb__value_at(values, place) -%}
    list_extract({{ values }}, {{ place }})
{%- endmacro %}

{#- A list of timestamps as one text. -#}
{% macro join_timestamps(values, separator) %}
    {{ return(adapter.dispatch('join_timestamps', 'userpilot_warehouse')(values, separator)) }}
{% endmacro %}

{% macro duckdb__join_timestamps(values, separator) -%}
    array_to_string(
        list_transform({{ values }}, lambda one: {{ iso_timestamp('one') }}), '{{ separator }}'
    )
{%- endmacro %}
