-- one row per interaction event, its name parsed and its documented attributes as text
with

interactions as (

    select * from {{ ref('events') }}
    where event_type = 'interaction'

),

parsed as (

    {{ parse_event_name('interactions') | indent(4) }}

),

unpacked as (

    {{ unpack_json('parsed', 'metadata', interaction_attribute_names(), 'attribute_') | indent(4) }}

)

select * from unpacked
