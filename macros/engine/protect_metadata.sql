{#-
    A JSON object in which the values of the keys in the var `traits_to_hash` are hashed and the keys
    in `traits_to_drop` are missing; NULL where none is left. An explicit null and an empty text say
    nothing and stay.
-#}
{% macro protect_metadata(json) %}
    {{ return(adapter.dispatch('protect_metadata', 'userpilot_warehouse')(json)) }}
{% endmacro %}

{% macro duckdb__protect_metadata(json) -%}
    {%- set hashed = quoted_list(var('traits_to_hash') | map('lower')) -%}
    {%- set dropped = quoted_list(var('traits_to_drop') | map('lower')) -%}
    {%- if not (var('traits_to_hash') or var('traits_to_drop')) -%}
        {{ json }}
    {%- else -%}
    case
        when
            list_has_any(
                list_transform(json_keys({{ json }}), lambda k: lower(k)),
                [{{ [hashed, dropped] | select | join(', ') }}]
            )
            then nullif(cast(to_json(map_from_entries(list_transform(
                list_filter(
                    list_distinct(json_keys({{ json }})),
                    lambda k: {{ 'not lower(k) in (' ~ dropped ~ ')' if dropped else 'true' }}
                ),
                lambda k: struct_pack(
                    key := k,
                    value := {{ duckdb__protected_value(json, hashed) }}
                )
            ))) as json), '{}')
        else {{ json }}
    end
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__protected_value(json, hashed) -%}
    {%- set value -%}
        json_extract({{ json }}, '/' || replace(replace(k, '~', '~0'), '/', '~1'))
    {%- endset -%}
    {%- if not hashed -%}
        {{ value }}
    {%- else -%}
    case
        when lower(k) in ({{ hashed }}) and cast({{ value }} as varchar) not in ('null', '""')
            then to_json(sha256(getvariable('trait_salt') || ({{ value }} ->> '$')))
        else {{ value }}
    end
    {%- endif -%}
{%- endmacro %}
