-- one row per line that is no event, by file and line number
with

source as (

    select * from {{ source('raw', 'rejected_lines') }}

),

final as (

    select
        file_id,
        path,
        line_number,
        reason
    from source

)

select * from final
