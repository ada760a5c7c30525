-- one row per (path, reason)
{{ config(meta={'follows': 'loads'}) }}
with

lines as (

    select * from {{ ref('stg_userpilot__rejected_lines') }}

),

final as (

    select
        {{ surrogate_key(['path', 'reason']) }} as rejection_key,
        path,
        reason,
        count(*) as line_count,
        min(line_number) as first_line_number,
        max(line_number) as last_line_number
    from lines
    group by path, reason

)

select * from final
