-- one row per (event_name, metadata) of interaction events: the name parsed, and the documented
-- attributes as text
with

events as {{ inlined() }} (

    select * from {{ ref('events') }}
    where event_type = 'interaction'

),

-- A digest stands for a long text: many of them would fill the memory of what groups by them.
contents as (

    select
        event_name,
        case when not {{ is_long('metadata') }} then metadata end as short_metadata,
        case when {{ is_long('metadata') }} then md5(metadata) end as long_digest
    from events
    group by event_name, short_metadata, long_digest

),

-- One event for each long text.
long_ones as (

    select min(events.event_key) as event_key
    from events
    inner join contents
        on
            events.event_name is not distinct from contents.event_name
            and case when {{ is_long('events.metadata') }} then md5(events.metadata) end
            = contents.long_digest
    group by contents.event_name, contents.long_digest

),

interactions as (

    select
        event_name,
        short_metadata as metadata
    from contents
    where long_digest is null
    union all
    select
        events.event_name,
        events.metadata
    from events
    inner join long_ones on events.event_key = long_ones.event_key
    -- Readings that are alike become one, put aside; this one ends at once where no text is long.
    where events.metadata is not null

),

parsed as (

    {{ parse_event_name('interactions') | indent(4) }}

),

unpacked as (

    {{ unpack_json('parsed', 'metadata', interaction_attribute_names(), 'attribute_') | indent(4) }}

)

select * from unpacked
