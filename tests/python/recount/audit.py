"""What was loaded, rejected, collapsed, unknown or drifting."""

from collections import Counter

from .base import Counted, Row, grouped, users_of
from .jsontext import Json, Number
from .reading import Event

DOCUMENTED = {
    "event_type": {
        *("identify_user", "identify_company", "interaction", "track", "track_feature"),
        *("page_view", "session_start"),
    },
    "source": {
        *("web-client", "backend-http", "backend-hubspot", "backend-salesforce"),
        "backend-segment",
    },
    "entity_type": {
        *("survey_module", "checklist", "checklist_task", "resource_center"),
        *("resource_center_article", "nps", "experience", "experience_step", "experiment"),
    },
    "interaction_status": {
        *("SEEN", "ENGAGED", "COMPLETED", "DISMISSED", "SUBMITTED_SCORE", "SUBMITTED_FEEDBACK"),
    },
}


def file_ledger(counted: Counted) -> list[Row]:
    """Each file and what became of its lines."""
    columns = (
        *("path", "kind", "sync_id", "app_token", "folder_date", "size_bytes", "status"),
        *("physical_lines", "blank_lines", "rejected_lines", "event_lines", "new_events"),
        "duplicate_lines",
    )
    removed = Counter(event.path for event, _, _ in counted.judged.removed)
    return [
        {name: getattr(file, name) for name in columns}
        | {
            "new_events": file.new_events - removed[file.path],
            "removed_events": removed[file.path],
        }
        for file in counted.export.files
    ]


def removed_events(counted: Counted) -> list[Row]:
    """Events that the configuration removes, by its rules."""
    groups = grouped(counted.judged.removed, lambda case: (case[0].app_token, *case[1:]))
    return [
        {
            "app_token": app_token,
            "reason": reason,
            "rule": rule,
            "event_count": len(cases),
            "user_count": len(users_of(event for event, _, _ in cases)),
            "first_seen_at": min(event.occurred_at for event, _, _ in cases),
            "last_seen_at": max(event.occurred_at for event, _, _ in cases),
        }
        for (app_token, reason, rule), cases in groups.items()
    ]


def rejected_lines(counted: Counted) -> list[Row]:
    """Rejected lines by file and reason."""
    groups = grouped(counted.export.rejected, lambda line: (line.path, line.reason))
    return [
        {
            "path": path,
            "reason": reason,
            "line_count": len(lines),
            "first_line_number": min(line.line_number for line in lines),
            "last_line_number": max(line.line_number for line in lines),
        }
        for (path, reason), lines in groups.items()
    ]


def duplicate_conflicts(counted: Counted) -> list[Row]:
    """Events whose copies differ in content."""
    rows: list[Row] = []
    counting = {(event.path, event.line_number) for event in counted.events}
    for copies in counted.export.copies.values():
        contents = {copy.content for copy in copies}
        kept = copies[-1]
        if len(contents) > 1 and (kept.path, kept.line_number) in counting:
            rows.append(
                {
                    "app_token": kept.app_token,
                    "internal_event_id": kept.internal_event_id,
                    "copy_count": len(copies),
                    "content_count": len(contents),
                    "kept_path": kept.path,
                    "kept_line_number": kept.line_number,
                }
            )
    return rows


def unknown_values(counted: Counted) -> list[Row]:
    """Values outside the documented lists; a name that does not parse has no entity type."""
    found: list[tuple[str, str | None, Event]] = []
    for event in counted.events:
        found.append(("event_type", event.event_type, event))
        if event.source is not None:
            found.append(("source", event.source, event))
    for item in counted.interactions:
        found.append(("entity_type", item.entity_type, item.event))
        if item.status is not None:
            found.append(("interaction_status", item.status, item.event))
    unknown = (case for case in found if case[1] not in DOCUMENTED[case[0]])
    return [
        {
            "field": field,
            "value": value,
            "event_count": len(cases),
            "first_seen_at": min(event.occurred_at for _, _, event in cases),
            "last_seen_at": max(event.occurred_at for _, _, event in cases),
        }
        for (field, value), cases in grouped(unknown, lambda case: case[:2]).items()
    ]


def trait_drift(counted: Counted) -> list[Row]:
    """Keys of metadata, and unknown ones beside it, by event type."""
    rows: list[Row] = []
    for event_type, events in grouped(counted.events, lambda e: e.event_type).items():
        keyed = [
            (is_unknown, key, value, event.occurred_at)
            for event in events
            for is_unknown, content in ((False, event.metadata), (True, event.unknown_fields))
            for key, value in (content or {}).items()
        ]
        for (is_unknown, key), cases in grouped(keyed, lambda case: case[:2]).items():
            rows.append(
                {
                    "event_type": event_type,
                    "is_unknown_field": is_unknown,
                    "metadata_key": key,
                    "event_count": len(cases),
                    "share_of_rows": len(cases) / len(events),
                    "json_types": "+".join(sorted({json_type(case[2]) for case in cases})),
                    "first_seen_at": cases[0][3],
                    "last_seen_at": cases[-1][3],
                }
            )
    return rows


def json_type(value: Json) -> str:
    """The type of a value in the words of JSON."""
    if value is None:
        return "null"
    names = {bool: "boolean", Number: "number", str: "string", dict: "object", list: "array"}
    return names[type(value)]
