{#-
    A select of the relation's rows, once for each key of a JSON object, with the columns
    `metadata_key` and `json_type`: string, number, boolean, null, object or array.
    Of a key that an object holds twice, the first counts.
-#}
{% macro json_keys(relation, json) %}
    {{ return(adapter.dispatch('json_keys', 'userpilot_warehouse')(relation, json)) }}
{% endmacro %}

{% macro duckdb__json_keys(relation, json) -%}
    select
        * exclude (json_type),
        case json_type
            when 'VARCHAR' then 'string'
            when 'BOOLEAN' then 'boolean'
            when 'NULL' then 'null'
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            else 'number'
        end as json_type
    from (
        select
            * exclude (json_keys, key_value, key_place),
            json_type(key_value) as json_type
        from (
            select
                *,
                unnest(json_keys) as metadata_key,
                unnest(json_extract({{ json }}, '$.*')) as key_value,
                generate_subscripts(json_keys, 1) as key_place
            from (
                select
                    *,
                    json_keys({{ json }}) as json_keys
                from {{ relation }}
            ) as listed
        ) as keyed
        where list_position(json_keys, metadata_key) = key_place
    ) as typed
{%- endmacro %}
