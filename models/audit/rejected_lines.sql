-- one row per (path, reason)
{{ config(meta={'follows': 'loads'}) }}
with

lines as (

    select * from {{ ref('stg_userpilot__rejected_lines') }}

),

files as (

    select * from {{ ref('stg_userpilot__files') }}

),

final as (

    select
        {{ surrogate_key(['lines.path', 'lines.reason']) }} as rejection_key,
        lines.path,
        lines.reason,
        count(*) as line_count,
        min(lines.line_number) as first_line_number,
        max(lines.line_number) as last_line_number
    from lines
    -- Not of a newer version over the error budget, which leaves the loaded one in force.
    inner join files on lines.file_id = files.file_id
    group by lines.path, lines.reason

)

select * from final
