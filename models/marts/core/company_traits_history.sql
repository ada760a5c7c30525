-- one row per identify_company event that changed a trait
{{ config(meta={
    'cut': {
        'by': 'company', 'parents': ['events'], 'event_type': 'identify_company',
        'text': 'concat(metadata, attributes)',
    },
}) }}
with

identify_events as (

    select * from {{ ref('events') }}
    where event_type = 'identify_company'

),

history as (

    {{ trait_history('identify_events', 'company_id') | indent(4) }}

),

final as (

    select
        event_key,
        app_token,
        company_id,
        {{ surrogate_key(['app_token', 'company_id']) }} as company_key,
        valid_from,
        valid_to,
        traits
    from history

)

select * from final
