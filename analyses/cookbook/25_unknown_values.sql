-- What does the export hold that Userpilot does not document?
-- Event types, sources, entity types and statuses outside the documented lists, in all apps. Such
-- events are kept and counted like any other; a value here is a reason to ask, not an error.
select
    field,
    coalesce(value, '(name does not parse)') as undocumented_value,
    event_count as events,
    cast(first_seen_at as date) as first_seen,
    cast(last_seen_at as date) as last_seen
from audit.unknown_values
order by event_count desc, field asc, undocumented_value asc
limit 10
