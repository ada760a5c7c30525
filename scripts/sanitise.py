"""Check export files line by line, and clean what DuckDB would not read as it is written.

A plain local file of events stays where it is: DuckDB reads it itself, all lines but the few odd
ones. A task reads a few files and writes up to three scratch files: events, records of the files
that are not events, and rejected lines. Every line in them carries its file and its line number.
"""

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from scripts.lines import (
    NO_OBJECT,
    Event,
    Rejected,
    classify,
    count_plain,
    is_plain,
    is_plain_object,
)
from scripts.source import Source

BLOCK_BYTES = 1 << 16
# A file with longer lines, or more odd ones, is not left to DuckDB.
MAX_PLAIN_BYTES = 8 << 20
MAX_ODD_LINES = 1000
# A file without line ends (a binary that is called .json, say) must not fill the memory.
MAX_LINE_BYTES = 512 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def compression(path: str) -> str:
    """How a name says that a file is compressed: `.gz`, `.zst` or, not at all, nothing."""
    return next((one for one in (".gz", ".zst") if path.lower().endswith(one)), "")


def expected_bytes(path: str, size: int) -> int:
    """About how many bytes a file has, decompressed."""
    return size * (10 if compression(path) else 1)


@dataclass(frozen=True)
class ExportFile:
    """A file to read.

    Attributes:
        modified: when it was listed.
        known_fingerprint: of the version that is loaded; the same again is not read twice.
        twin_fingerprints: of other loaded files of this size; their lines need not be read again.
    """

    file_id: int
    path: str
    key: str
    kind: str
    size: int
    modified: str
    known_fingerprint: str | None = None
    twin_fingerprints: frozenset[str] = frozenset()

    @property
    def compression(self) -> str:
        """How the name says that it is compressed."""
        return compression(self.path)

    @property
    def expected_bytes(self) -> int:
        """About how many bytes it has, decompressed."""
        return expected_bytes(self.path, self.size)


@dataclass(frozen=True)
class Task:
    """Files to read together, and where to write.

    Attributes:
        all_lines: write all lines to the scratch files, leave none for DuckDB to read in place.
    """

    source: Source
    files: tuple[ExportFile, ...]
    folder: Path
    number: int
    all_lines: bool = False

    @property
    def expected_bytes(self) -> int:
        """About how many bytes the files have, decompressed."""
        return sum(file.expected_bytes for file in self.files)

    def scratch(self, name: str) -> Path:
        """Path of a scratch file: `events`, `records` or `rejected`."""
        return self.folder / f"{self.number}.{name}.ndjson"

    def has(self, name: str) -> bool:
        """Whether a scratch file holds anything."""
        return self.scratch(name).stat().st_size > 0

    @property
    def parquet(self) -> Path:
        """Path of the file that holds what DuckDB read of the events."""
        return self.folder / f"{self.number}.events.parquet"


@dataclass
class FileResult:
    """What was found in one file.

    Attributes:
        status: read, unchanged, twin (of another file that is loaded) or failed.
        twin_id: the loaded file that a twin is the same as.
        plain_path: where DuckDB is to read the lines itself, all but the `odd_lines`.
    """

    file_id: int
    status: str = "read"
    error: str | None = None
    fingerprint: str | None = None
    physical_lines: int = 0
    blank_lines: int = 0
    rejected_lines: int = 0
    event_lines: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_rejected: tuple[int, str] | None = None
    twin_id: int | None = None
    plain_path: str | None = None
    odd_lines: list[int] = field(default_factory=list)


@dataclass
class TaskResult:
    """What was found in the files of a task.

    Attributes:
        longest: no line that DuckDB has to read is longer, in bytes.
        events: rows of the task's Parquet file, if there is one.
    """

    task: Task
    files: list[FileResult]
    longest: int
    events: int | None = None


class UnreadableError(Exception):
    """The source cannot be read any further."""


class _NotPlainError(Exception):
    """DuckDB cannot read the file in place."""


def sanitise(task: Task) -> TaskResult:
    """Read the files of a task and write its scratch files."""
    with ExitStack() as stack:
        scratch = {
            name: stack.enter_context(_Scratch(task.scratch(name)))
            for name in ("events", "records", "rejected")
        }
        results = [_sanitise_file(task, file, scratch) for file in task.files]
        longest = max(one.longest for one in scratch.values())
    return TaskResult(task, results, longest)


class _Scratch:
    """A scratch file that can forget what was written since a mark."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=1 << 20)
        self.longest = 0

    def __enter__(self) -> "_Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def mark(self) -> int:
        return self._file.tell()

    def write(self, line: bytes) -> None:
        self._file.write(line)
        self.expect(len(line))

    def expect(self, length: int) -> None:
        """Note that a line may be so long, here or in a file that is read with this one."""
        self.longest = max(self.longest, length)

    def forget(self, mark: int) -> None:
        self._file.seek(mark)
        self._file.truncate()


def _sanitise_file(task: Task, file: ExportFile, scratch: dict[str, _Scratch]) -> FileResult:
    marks = {name: one.mark() for name, one in scratch.items()}

    def start_again() -> None:
        for name, mark in marks.items():
            scratch[name].forget(mark)

    try:
        if file.known_fingerprint is not None or file.twin_fingerprints:
            fingerprint = _fingerprint(task.source, file)
            if fingerprint == file.known_fingerprint:
                return FileResult(file.file_id, "unchanged", fingerprint=fingerprint)
            if fingerprint in file.twin_fingerprints:
                return FileResult(file.file_id, "twin", fingerprint=fingerprint)
        if (path := _plain_path(task, file)) is not None:
            try:
                return _read(task, file, partial(_check_events, path), scratch)
            except _NotPlainError:
                start_again()
        write = _write_events if file.kind == "events" else partial(_write_records, file.kind)
        return _read(task, file, write, scratch)
    except UnreadableError as error:
        start_again()
        return FileResult(file.file_id, "failed", str(error))


def _read(
    task: Task,
    file: ExportFile,
    write: Callable[[Iterable[bytes], FileResult, dict[str, _Scratch]], None],
    scratch: dict[str, _Scratch],
) -> FileResult:
    result = FileResult(file.file_id)
    digest = hashlib.sha256()
    write(_blocks(task.source, file, digest.update), result, scratch)
    result.fingerprint = digest.hexdigest()
    return result


def _plain_path(task: Task, file: ExportFile) -> str | None:
    """Path of a file that DuckDB may be able to read in place."""
    if task.all_lines or file.kind != "events" or file.compression:
        return None
    return task.source.local_path(file.key)


# ---------- lines of a file


def physical_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Split at LF alone; drop the file's byte order mark and one CR before each LF.

    Raises:
        UnreadableError: a line is longer than any event can be.
    """
    for block in _whole_lines(_without_mark(blocks)):
        for line in block.split(b"\n"):
            yield line.removesuffix(b"\r")


def _without_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Drop the byte order mark, if the file begins with one."""
    rest = iter(blocks)
    head = b""
    for block in rest:
        head += block
        if len(head) >= len(BYTE_ORDER_MARK):
            break
    yield head.removeprefix(BYTE_ORDER_MARK)
    yield from rest


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut the blocks between lines; the LF there is dropped."""
    pieces: list[bytes] = []
    length = 0
    for block in blocks:
        head, line_end, rest = block.rpartition(b"\n")
        pieces.append(head if line_end else rest)
        length += len(pieces[-1])
        if length > MAX_LINE_BYTES:
            raise UnreadableError(f"a line is longer than {MAX_LINE_BYTES >> 20} MB")
        if line_end:
            yield b"".join(pieces)
            pieces, length = [rest], len(rest)
    if last := b"".join(pieces):
        yield last


def _check_events(
    path: str, blocks: Iterable[bytes], result: FileResult, scratch: dict[str, _Scratch]
) -> None:
    """Find the odd lines of a file that DuckDB shall read in place; write those alone.

    Raises:
        _NotPlainError: there are too many, or one that DuckDB may not count as a line.
    """
    number = 0
    for block in _whole_lines(blocks):
        if len(block) > MAX_PLAIN_BYTES:
            raise _NotPlainError
        scratch["events"].expect(len(block))
        lines = count_plain(block)
        if not lines:
            for at, line in enumerate(block.split(b"\n"), number + 1):
                if is_plain(line):
                    continue
                blank = not line.strip()  # DuckDB makes no row of it
                if (
                    blank
                    or line.startswith(BYTE_ORDER_MARK)
                    or len(result.odd_lines) == MAX_ODD_LINES
                ):
                    raise _NotPlainError
                result.odd_lines.append(at)
                _write_event(line.removesuffix(b"\r"), at, result, scratch)
        number += lines or block.count(b"\n") + 1
    result.plain_path = path if number else None
    _count(result, number)


def _write_events(
    blocks: Iterable[bytes], result: FileResult, scratch: dict[str, _Scratch]
) -> None:
    number = 0
    for block in _whole_lines(_without_mark(blocks)):
        all_plain = count_plain(block) > 0
        for whole in block.split(b"\n"):
            number += 1
            line = whole.removesuffix(b"\r")
            if all_plain or is_plain(line):
                head = b'{"_file":%d,"_line":%d,' % (result.file_id, number)
                scratch["events"].write(head + line[1:] + b"\n")
            else:
                _write_event(line, number, result, scratch)
    _count(result, number)


def _write_event(
    line: bytes, number: int, result: FileResult, scratch: dict[str, _Scratch]
) -> None:
    """Write what the line is found to be: an event, or rejected."""
    verdict = classify(line)
    if isinstance(verdict, Event):
        scratch["events"].write(_clean(result.file_id, number, verdict))
    elif verdict is None:
        result.blank_lines += 1
    else:
        _reject(line, number, verdict, result, scratch["rejected"])


def _write_records(
    kind: str, blocks: Iterable[bytes], result: FileResult, scratch: dict[str, _Scratch]
) -> None:
    number = 0
    for number, line in enumerate(physical_lines(blocks), 1):
        verdict = None if is_plain_object(line) else _classify_record(line)
        if verdict == "blank":
            result.blank_lines += 1
        elif verdict is None:
            record = _usual(line.decode())
            kept = {"_file": result.file_id, "_line": number, "_kind": kind, "record": record}
            scratch["records"].write(json.dumps(kept).encode() + b"\n")
        else:
            _reject(line, number, Rejected(verdict), result, scratch["rejected"])
    _count(result, number)


def _classify_record(line: bytes) -> str | None:
    """`blank`, a reason to reject, or None for a JSON object."""
    verdict = classify(line)
    if verdict is None:
        return "blank"
    if isinstance(verdict, Rejected) and verdict.reason in NO_OBJECT:
        return verdict.reason
    return None


def _count(result: FileResult, physical_lines: int) -> None:
    result.physical_lines = physical_lines
    result.event_lines = physical_lines - result.blank_lines - result.rejected_lines


def _clean(file_id: int, number: int, event: Event) -> bytes:
    """Write an event so that DuckDB reads exactly what `classify` saw: JSON objects are text."""
    fields = {
        "_file": str(file_id),
        "_line": str(number),
        "inserted_at": f'"{event.inserted_at.isoformat()}"',
        **{name: json.dumps(text) for name, text in event.texts.items()},
        **{name: json.dumps(_usual(text)) for name, text in event.objects.items()},
    }
    return ("{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}\n").encode()


def _usual(text: str) -> str:
    """Write JSON as DuckDB does where it reads by itself, but numbers as they were written."""
    return _STRING_OR_SPACE.sub(_usual_token, text)


def _usual_token(match: re.Match[str]) -> str:
    string = match[1] or ""
    return f'"{json.loads(string).translate(_ESCAPES)}"' if "\\" in string else string


_STRING_OR_SPACE = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|[ \t\r\n]+')
_ESCAPES = {number: f"\\u{number:04X}" for number in range(32)} | {
    ord(character): json.dumps(character)[1:-1] for character in '"\\\b\f\n\r\t'
}


def _reject(
    line: bytes, number: int, verdict: Rejected, result: FileResult, scratch: _Scratch
) -> None:
    result.rejected_lines += 1
    result.reasons[verdict.reason] += 1
    if result.first_rejected is None:
        result.first_rejected = (number, verdict.reason)
    kept: dict[str, Any] = {
        "_file": result.file_id,
        "_line": number,
        "reason": verdict.reason,
        "line": line.decode(errors="replace"),
    }
    if verdict.reason == "invalid_utf8":
        kept["line_bytes"] = base64.b64encode(line).decode()
    scratch.write(json.dumps(kept).encode() + b"\n")


# ---------- bytes of a file


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever a store or a decompressor raises into one kind of error."""
    try:
        yield
    except UnreadableError:
        raise
    except (zlib.error, zstandard.ZstdError) as error:
        raise UnreadableError(f"the compressed file is damaged ({error})") from None
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    except Exception as error:  # each store has errors of its own
        raise UnreadableError(f"{type(error).__name__}: {error}") from None


def _stored(source: Source, file: ExportFile, see: Callable[[bytes], None]) -> Iterator[bytes]:
    with _reading():
        stream = source.open(file.key)
    with stream:
        while block := _read_block(stream):
            see(block)
            yield block


def _read_block(stream: BinaryIO) -> bytes:
    with _reading():
        return stream.read(BLOCK_BYTES)


def _fingerprint(source: Source, file: ExportFile) -> str:
    digest = hashlib.sha256()
    for _ in _stored(source, file, digest.update):
        pass
    return digest.hexdigest()


def _blocks(source: Source, file: ExportFile, see: Callable[[bytes], None]) -> Iterator[bytes]:
    """Content of a file, decompressed, in blocks; `see` gets the bytes as stored."""
    stored = _stored(source, file, see)
    if file.compression == ".gz":
        return _decompress(stored, lambda: zlib.decompressobj(wbits=31))
    if file.compression == ".zst":
        return _decompress(
            stored, zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj
        )
    return stored


def _decompress(stored: Iterable[bytes], start: Callable[[], Any]) -> Iterator[bytes]:
    """Decompress one member (gzip) or frame (zstd) after the other.

    Raises:
        UnreadableError: damaged, cut short, or not compressed at all.
    """
    member = None
    members_read = 0
    for block in stored:
        rest = block
        while rest:
            if member is None:
                if members_read and not rest.strip(b"\0"):
                    break  # padding after the last member is allowed
                member = start()
            with _reading():
                plain = member.decompress(rest)
            if plain:
                yield plain
            rest = member.unused_data if member.eof else b""
            if member.eof:
                member = None
                members_read += 1
    if member is not None:
        raise UnreadableError("the compressed file is cut short")
