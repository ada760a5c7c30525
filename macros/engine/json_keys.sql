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
            *,
            json_type(
                {{ json }}, '/' || replace(replace(metadata_key, '~', '~0'), '/', '~1')
            ) as json_type
        from (
            select
                *,
                unnest(list_distinct(json_keys({{ json }}))) as metadata_key
            from {{ relation }}
        ) as keyed
    ) as typed
{%- endmacro %}
