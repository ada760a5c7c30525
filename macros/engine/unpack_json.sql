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
        {{ duckdb__unpacked_columns(json, keys, prefix) }}
        * exclude (json_texts)
    from (
        select
            *,
            json_extract_string({{ json }}, {{ paths }}) as json_texts
        from {{ relation }}
    ) as unpacked
{%- endmacro %}

{#- The JSON is read again only for a text that looks like an object or an array. -#}
{% macro duckdb__unpacked_columns(json, keys, prefix) -%}
    {%- for key in keys %}
        case
            when
                json_texts[{{ loop.index }}][1] in ('{', '[')
                and json_type({{ json }}, '$.{{ key }}') in ('OBJECT', 'ARRAY')
                then null
            else nullif(json_texts[{{ loop.index }}], '')
        end as {{ prefix }}{{ key }},
    {%- endfor %}
{%- endmacro %}
