-- How much was exported more than once, and do the copies agree?
-- Lines of event files by month of their folder: those that are copies of an event counted
-- elsewhere, and events whose copies differ in content. Of several copies that of the latest folder
-- counts, so that copies show up in the month of the earlier one. Re-exports make copies by design,
-- and no mart counts them; events that conflict say that history was rewritten.
with

conflicts as (

    select
        kept_path,
        count(*) as conflicting_events
    from audit.duplicate_conflicts
    group by kept_path

)

select
    cast(date_trunc('month', file_ledger.folder_date) as date) as folder_month,
    count(*) as files,
    cast(sum(file_ledger.event_lines) as bigint) as event_lines,
    cast(sum(file_ledger.duplicate_lines) as bigint) as copies,
    round(
        1.0 * sum(file_ledger.duplicate_lines) / nullif(sum(file_ledger.event_lines), 0), 3
    ) as share_of_copies,
    cast(coalesce(sum(conflicts.conflicting_events), 0) as bigint) as conflicting_events
from audit.file_ledger
left join conflicts
    on file_ledger.path = conflicts.kept_path
where file_ledger.kind = 'events' and file_ledger.status = 'loaded'
group by folder_month
order by folder_month
limit 10
