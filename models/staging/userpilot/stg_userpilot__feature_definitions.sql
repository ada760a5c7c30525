-- one row per (app_token, feature_id): its latest definition
{% set keys = [
    'app_token', 'id', 'feature_id', 'feature_tag_id', 'key', 'name', 'display_name', 'title',
] %}
with

source as (

    select * from {{ source('raw', 'feature_tags_definitions') }}

),

files as (

    select * from {{ source('raw', 'files') }}

),

records as (

    select
        files.app_token as folder_app_token,
        files.folder_date,
        files.path,
        source.line_number,
        source.record
    from source
    inner join files on source.file_id = files.file_id

),

unpacked as (

    {{ unpack_json('records', 'record', keys, 'field_') | indent(4) }}

),

named as (

    select
        folder_date,
        path,
        line_number,
        coalesce(field_app_token, folder_app_token) as app_token,
        coalesce(field_id, field_feature_id, field_feature_tag_id, field_key) as feature_id,
        coalesce(field_name, field_display_name, field_title) as feature_name
    from unpacked

),

ranked as (

    select
        *,
        row_number() over (
            partition by app_token, feature_id
            order by folder_date desc nulls last, path desc, line_number desc
        ) as version_rank
    from named
    where app_token is not null and feature_id is not null

),

final as (

    select
        app_token,
        feature_id,
        feature_name
    from ranked
    where version_rank = 1

)

select * from final
