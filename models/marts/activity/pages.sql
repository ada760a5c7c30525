-- one row per (app_token, hostname, pathname) that was viewed
with

page_views as (

    select
        events.*,
        as_of.as_of_date
    from {{ ref('page_views') }} as events
    cross join {{ ref('int_as_of_date') }} as as_of
    where events.hostname is not null or events.pathname is not null

),

final as (

    select
        {{ surrogate_key(['app_token', 'hostname', 'pathname']) }} as page_key,
        app_token,
        hostname,
        pathname,
        {{ use_counts('viewed') }}
    from page_views
    group by app_token, hostname, pathname

)

select * from final
