{#-
    The UTC timestamp that a trait spells: ISO date and time with or without an offset, a bare date,
    Unix seconds (9 or 10 digits) or milliseconds (12 or 13 digits). Anything else is NULL.
-#}
{% macro parse_timestamp(text) %}
    {{ return(adapter.dispatch('parse_timestamp', 'userpilot_warehouse')(text)) }}
{% endmacro %}

{#- A cast to TIMESTAMP ignores an offset, one to TIMESTAMPTZ reads its absence as local time. -#}
{% macro duckdb__parse_timestamp(text) -%}
    {%- set date = '[0-9]{4}-[0-9]{2}-[0-9]{2}' -%}
    {%- set time = '([01][0-9]|2[0-3]):[0-5][0-9]' -%}
    {%- set date_and_time = date ~ '[T ]' ~ time ~ ':[0-5][0-9]([.][0-9]+)?' -%}
    case
        -- An offset would lead these days out of the calendar; a year 0 is none.
        when {{ matches(text, '(0000-|0001-01-01|9999-12-31).*') }} then null
        when {{ matches(text, date ~ '|' ~ date_and_time) }}
            then try_cast({{ text }} as timestamp)
        when {{ matches(text, date_and_time ~ '(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])') }}
            then timezone('UTC', try_cast({{ text }} as timestamptz))
        when {{ matches(text, '[0-9]{9,10}') }}
            then make_timestamp(try_cast({{ text }} as bigint) * 1000000)
        when {{ matches(text, '[0-9]{12,13}') }}
            then make_timestamp(try_cast({{ text }} as bigint) * 1000)
    end
{%- endmacro %}
