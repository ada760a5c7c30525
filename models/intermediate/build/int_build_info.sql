-- one row: the dbt run that made the tables, so that publishing can tell whether all of it passed
{{ config(materialized='table') }}
select
    '{{ invocation_id }}' as invocation_id,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp) as started_at,
    (select coalesce(max(load_id), 0) from {{ source('raw', 'loads') }}) as load_id
