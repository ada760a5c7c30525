"""From an export folder to rejected lines, deduplicated events and a ledger of files."""

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import zstandard

from .jsontext import Json, NotJson, freeze, object_of, parse, text_of
from .values import integer, timestamp

KINDS = ("all_users", "all_companies", "feature_tags_definitions", "feature_tags_breakdown")
IDENTITY = ("event_type", "event_name", "user_id", "company_id")
TEXT_COLUMNS = (
    *IDENTITY,
    *("source", "internal_event_id", "hostname", "pathname", "device_type", "user_agent"),
    *("operating_system", "browser", "browser_language", "session", "country_code"),
)
KNOWN_KEYS = {
    *TEXT_COLUMNS,
    *("app_token", "inserted_at", "screen_width", "screen_height", "metadata", "attributes"),
}

_FILE_NAME = re.compile(r"(?P<stem>.+?)\.(?:json|ndjson|jsonl)(?:\.(?P<packing>gz|zst))?", re.I)
_SYNC_FOLDER = re.compile(r"userpilot_datasync_([^_]+)_(.+)")
_BLANKS = b" \t\r"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no event, and why."""

    path: str
    line_number: int
    reason: str


@dataclass(slots=True)
class LedgerFile:
    """What became of one file."""

    path: str
    kind: str
    sync_id: str | None
    app_token: str | None
    folder_date: date | None
    size_bytes: int
    status: str = "loaded"
    physical_lines: int = 0
    blank_lines: int = 0
    rejected_lines: int = 0
    event_lines: int = 0
    new_events: int = 0
    duplicate_lines: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One line that is an event."""

    app_token: str
    event_type: str
    event_name: str | None
    user_id: str | None
    company_id: str | None
    source: str | None
    occurred_at: datetime
    internal_event_id: str | None
    hostname: str | None
    pathname: str | None
    screen_width: int | None
    screen_height: int | None
    device_type: str | None
    user_agent: str | None
    operating_system: str | None
    browser: str | None
    browser_language: str | None
    session: str | None
    country_code: str | None
    metadata: dict[str, Json] | None
    unknown_fields: dict[str, Json]
    is_future_dated: bool
    path: str
    line_number: int
    content: object = field(repr=False)

    @property
    def key(self) -> tuple[object, ...]:
        """What two copies of one event have in common."""
        if self.internal_event_id is not None:
            return (self.app_token, self.internal_event_id)
        identity = (getattr(self, name) for name in IDENTITY)
        return (self.app_token, *identity, self.occurred_at)

    @property
    def order(self) -> tuple[object, ...]:
        """Order in time; ties by id, then name, nothing first, then the key of the event."""
        parts = (self.app_token, *(getattr(self, name) for name in IDENTITY))
        key = ":".join(
            "~" if part is None else part.replace("~", "~0").replace(":", "~1") for part in parts
        )
        return (self.occurred_at, self.internal_event_id or "", self.event_name or "", key)

    @property
    def is_activity(self) -> bool:
        """Whether the user did it, not a server."""
        return not (self.source or "").startswith("backend-")


@dataclass(slots=True)
class Export:
    """Everything an export folder says."""

    events: list[Event]
    copies: dict[tuple[object, ...], list[Event]]
    rejected: list[Rejected]
    files: list[LedgerFile]
    snapshots: list[tuple[LedgerFile, int, dict[str, Json]]]


def read_export(folder: Path, loaded_at: datetime) -> Export:
    """Read a folder at any depth; `loaded_at` (UTC) stands in for a missing folder date."""
    export = Export([], {}, [], [], [])
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = _describe(path, path.relative_to(folder).as_posix())
        export.files.append(file)
        if file.status == "loaded":
            _read_file(path, file, export, loaded_at)
    _deduplicate(export)
    return export


def _describe(path: Path, relative: str) -> LedgerFile:
    *folders, name = relative.split("/")
    named = _FILE_NAME.fullmatch(name)
    is_read = named is not None and not any(part.startswith(".") for part in (*folders, name))
    kind = _kind(named["stem"]) if is_read and named else "other"
    sync_id = app_token = None
    folder_date = None
    for part in folders:
        if sync := _SYNC_FOLDER.fullmatch(part):
            sync_id, app_token = sync.groups()
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", part) and (
            midnight := timestamp(f"{part}T00:00:00")
        ):
            folder_date = midnight.date()
    size = path.stat().st_size
    status = "loaded" if is_read else "skipped"
    return LedgerFile(relative, kind, sync_id, app_token, folder_date, size, status)


def _kind(stem: str) -> str:
    return next(
        (kind for kind in KINDS if re.fullmatch(rf"{kind}(?:[._-].*)?", stem, re.DOTALL)), "events"
    )


def _unpack(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError, EOFError, zlib.error, zstandard.ZstdError: the file is broken.
    """
    packed = path.read_bytes()
    if path.suffix.lower() == ".gz":
        return gzip.decompress(packed)
    if path.suffix.lower() != ".zst":
        return packed
    frames = []
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frames.append(frame.decompress(packed))
        if not frame.eof:
            raise EOFError("the last frame is cut off")
        packed = frame.unused_data
    return b"".join(frames)


def _read_file(path: Path, file: LedgerFile, export: Export, loaded_at: datetime) -> None:
    try:
        content = _unpack(path)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        file.status = "failed"
        return
    for number, line in _lines(content):
        file.physical_lines += 1
        if not line.strip(_BLANKS):
            file.blank_lines += 1
            continue
        read = _read_line(line, file, number, loaded_at)
        if isinstance(read, str):
            file.rejected_lines += 1
            export.rejected.append(Rejected(file.path, number, read))
            continue
        file.event_lines += 1
        if isinstance(read, Event):
            export.copies.setdefault(read.key, []).append(read)
        else:
            export.snapshots.append((file, number, read))


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    yield from enumerate(lines, start=1)


def _read_line(
    line: bytes, file: LedgerFile, number: int, loaded_at: datetime
) -> Event | dict[str, Json] | str:
    """An event, a snapshot record, or the reason why it is neither."""
    try:
        record = parse(line.decode())
    except UnicodeDecodeError:
        return "invalid_utf8"
    except NotJson:
        return "not_json"
    if not isinstance(record, dict):
        return "not_object"
    return _read_event(record, file, number, loaded_at) if file.kind == "events" else record


def _read_event(
    record: dict[str, Json], file: LedgerFile, number: int, loaded_at: datetime
) -> Event | str:
    texts = {name: text_of(record.get(name)) for name in ("app_token", *TEXT_COLUMNS)}
    if texts["app_token"] is None:
        return "no_app_token"
    if texts["event_type"] is None:
        return "no_event_type"
    inserted_at = record.get("inserted_at")
    occurred_at = timestamp(inserted_at) if isinstance(inserted_at, str) else None
    if occurred_at is None:
        return "bad_inserted_at"
    reference = loaded_at
    if file.folder_date:
        reference = datetime.combine(file.folder_date, datetime.min.time())
    sizes = {name: text_of(record.get(name)) for name in ("screen_width", "screen_height")}
    metadata, attributes = (object_of(record.get(name)) for name in ("metadata", "attributes"))
    extra = {name: value for name, value in record.items() if name not in KNOWN_KEYS}
    structures = (freeze(metadata), freeze(attributes), freeze(extra))
    return Event(
        **texts,  # type: ignore[arg-type]
        occurred_at=occurred_at,
        screen_width=integer(sizes["screen_width"]),
        screen_height=integer(sizes["screen_height"]),
        metadata=metadata or attributes,
        unknown_fields=extra,
        is_future_dated=occurred_at - reference > timedelta(days=1),
        path=file.path,
        line_number=number,
        content=(*texts.values(), *sizes.values(), occurred_at, structures),
    )


def _deduplicate(export: Export) -> None:
    dates = {file.path: file.folder_date or date.min for file in export.files}
    for copies in export.copies.values():
        copies.sort(key=lambda event: (dates[event.path], event.path, event.line_number))
        export.events.append(copies[-1])
    export.events.sort(key=lambda event: event.order)
    kept = Counter(event.path for event in export.events)
    for file in export.files:
        file.new_events = kept[file.path]
        if file.kind == "events":
            file.duplicate_lines = file.event_lines - file.new_events
