-- one row per event: the copy that counts
{% set metadata -%}
    case
            when {{ is_filled_json_object('source.metadata') }} then source.metadata
            when {{ is_filled_json_object('source.attributes') }} then source.attributes
        end
{%- endset %}
with

source as (

    select * from {{ source('raw', 'events') }}
    where not is_superseded

),

files as (

    select * from {{ source('raw', 'files') }}

),

typed as (

    select
        ---------- ids
        source.app_token,
        source.internal_event_id,
        source.user_id,
        source.company_id,
        source.session,

        ---------- text
        source.event_type,
        source.event_name,
        source.source,
        source.hostname,
        source.pathname,
        source.device_type,
        source.user_agent,
        source.operating_system,
        source.browser,
        source.browser_language,
        source.country_code,
        {{ protect_metadata(metadata) }} as metadata,
        case
            when source.event_type = 'identify_user' then {{ json_text(metadata, 'email') }}
        end as identified_email,
        source.extra as unknown_fields,

        ---------- numbers
        {{ strict_integer('source.screen_width') }} as screen_width,
        {{ strict_integer('source.screen_height') }} as screen_height,

        ---------- times
        source.inserted_at as occurred_at,
        {{ date_in_zone('source.inserted_at') }} as occurred_date,

        ---------- where the copy that counts was read
        source.file_id,
        source.line_number,
        source.changed_in,
        coalesce(cast(files.folder_date as timestamp), files.loaded_at) as delivered_at

    from source
    inner join files on source.file_id = files.file_id

),

final as (

    select
        *,
        {{ event_key('occurred_at') | indent(8) }} as event_key,
        coalesce(not starts_with(source, 'backend-'), true) as is_activity,
        occurred_at > delivered_at + interval '1 day' as is_future_dated
    from typed

)

select * from final
