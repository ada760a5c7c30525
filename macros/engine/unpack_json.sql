{#-
    A select that adds one text column `<prefix><key>` for each key, reading the JSON once.
    Null, an empty text, an object, an array and a missing key are NULL alike.
-#}
{% macro unpack_json(relation, json, keys, prefix='') %}
    {{ return(
        adapter.dispatch('unpack_json', 'userpilot_warehouse')(relation, json, keys, prefix)
    ) }}
{% endmacro %}

{% macro duckdb__unpack_json(relation, json, keys, prefix) -%}
    {%- set paths -%}
        [{% for key in keys %}'$.{{ key }}'{{ ', ' if not loop.last }}{% endfor %}]
    {%- endset -%}
    select
        {{ duckdb__unpacked_columns(keys, prefix) }}
        * exclude (json_texts, json_types)
    from (
        select
            *,
            json_extract_string({{ json }}, {{ paths }}) as json_texts,
            json_type({{ json }}, {{ paths }}) as json_types
        from {{ relation }}
    ) as unpacked
{%- endmacro %}

{% macro duckdb__unpacked_columns(keys, prefix) -%}
    {%- for key in keys %}
        case
            when coalesce(json_types[{{ loop.index }}], '') not in ('OBJECT', 'ARRAY')
                then nullif(json_texts[{{ loop.index }}], '')
        end as {{ prefix }}{{ key }},
    {%- endfor %}
{%- endmacro %}
