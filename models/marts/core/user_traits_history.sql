-- one row per identify_user event that changed a trait
{{ config(meta={
    'cut': {
        'by': 'user', 'parents': ['events'], 'event_type': 'identify_user',
        'text': 'concat(metadata, attributes)',
    },
}) }}
with

identify_events as (

    select * from {{ ref('events') }}
    where event_type = 'identify_user'

),

history as (

    {{ trait_history('identify_events', 'user_id') | indent(4) }}

),

final as (

    select
        event_key,
        app_token,
        user_id,
        {{ surrogate_key(['app_token', 'user_id']) }} as user_key,
        valid_from,
        valid_to,
        traits
    from history

)

select * from final
