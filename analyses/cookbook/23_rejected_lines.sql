-- Which lines of the exports were rejected, and why?
-- Lines of event files that are no event, by reason, as a share of all lines, with the place of one
-- of them. The lines themselves are in `raw.rejected_lines` of `build.duckdb`. A reason that grows
-- is a matter for whoever sends the events.
with

all_lines as (

    select sum(physical_lines) as physical_lines
    from audit.file_ledger
    where kind = 'events'

)

select
    rejected_lines.reason,
    count(*) as files,
    cast(sum(rejected_lines.line_count) as bigint) as rejected,
    round(1.0 * sum(rejected_lines.line_count) / all_lines.physical_lines, 5) as share_of_lines,
    min(rejected_lines.path || ', line ' || rejected_lines.first_line_number) as example
from audit.rejected_lines
cross join all_lines
group by rejected_lines.reason, all_lines.physical_lines
order by rejected desc, rejected_lines.reason asc
limit 10
