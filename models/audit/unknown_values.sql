-- one row per (field, value) outside the documented lists
with

events as (

    select * from {{ ref('events') }}

),

interactions as (

    select * from {{ ref('interactions') }}

),

found as (

    {%- for field, known in documented_values().items() %}
        select
            '{{ field }}' as field,
            {{ field }} as value,
            count(*) as event_count,
            min(occurred_at) as first_seen_at,
            max(occurred_at) as last_seen_at
        from {{ 'events' if field in ('event_type', 'source') else 'interactions' }}
        where
            {{ field }} not in ({{ quoted_list(known) }})
            {{ 'or entity_type is null' if field == 'entity_type' }}
        group by {{ field }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        {{ surrogate_key(['field', 'value']) }} as unknown_value_key,
        field,
        value,
        event_count,
        first_seen_at,
        last_seen_at
    from found

)

select * from final
