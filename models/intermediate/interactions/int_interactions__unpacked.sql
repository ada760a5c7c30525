-- one row per (event_name, metadata) of interaction events: the name parsed, and the documented
-- attributes as text
with

interactions as (

    select
        event_name,
        metadata
    from {{ ref('events') }}
    where event_type = 'interaction'
    group by event_name, metadata

),

parsed as (

    {{ parse_event_name('interactions') | indent(4) }}

),

unpacked as (

    {{ unpack_json('parsed', 'metadata', interaction_attribute_names(), 'attribute_') | indent(4) }}

)

select * from unpacked
