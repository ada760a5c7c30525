"""What one line of an export is: blank, an event, or rejected for a reason.

`classify` is the one authority. `count_plain` recognises, many times faster, most of the lines that
`classify` would accept and that DuckDB reads to the same values as they stand.
"""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Annotated, Any, NoReturn

import msgspec

# Why a line is no JSON object; an object may yet be no event.
NO_OBJECT = ("invalid_utf8", "not_json", "not_object")

REQUIRED = ("app_token", "event_type", "inserted_at")
OPTIONAL_TEXTS = (
    "event_name",
    "user_id",
    "company_id",
    "source",
    "internal_event_id",
    "hostname",
    "pathname",
    "screen_width",
    "screen_height",
    "device_type",
    "user_agent",
    "operating_system",
    "browser",
    "browser_language",
    "session",
    "country_code",
)
OBJECTS = ("metadata", "attributes")

# RFC 8259 lets a reader limit nesting. A fixed limit keeps the verdict on a line independent of
# how deep the Python stack happens to be.
MAX_DEPTH = 500


@dataclass(frozen=True)
class Rejected:
    """A line that is kept aside, and why."""

    reason: str


@dataclass(frozen=True)
class Event:
    """A line that is an event.

    Attributes:
        texts: the scalar fields that hold something, as text in their written form.
        inserted_at: in UTC, without time zone, microseconds.
        objects: JSON text of `metadata`, `attributes` and `extra` (the unknown keys), where given.
    """

    texts: dict[str, str]
    inserted_at: datetime
    objects: dict[str, str]


class NotJSONError(ValueError):
    """The text is not one JSON value by RFC 8259."""


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


# ---------- the careful way


def classify(line: bytes) -> Event | Rejected | None:
    """Say what a line is: an event, rejected, or blank (None).

    The line comes without its line end and, at the start of a file, without byte order mark.
    """
    if not line.strip(b" \t\r"):
        return None
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return Rejected("invalid_utf8")
    try:
        value = parse(text)
    except NotJSONError:
        return Rejected("not_json")
    if not isinstance(value, dict):
        return Rejected("not_object")
    return _event(members(text))


def parse(text: str) -> Any:
    """Parse strict JSON; numbers come as `Number`.

    Raises:
        NotJSONError: the text is not exactly one value by RFC 8259.
    """
    if _depth(text) > MAX_DEPTH:
        raise NotJSONError("nested too deep")
    try:
        value = _DECODER.decode(text)
        if _MAY_HOLD_SURROGATE.search(text):
            _encode(value)
    except (ValueError, RecursionError):
        raise NotJSONError(text[:80]) from None
    return value


def members(text: str) -> dict[str, tuple[Any, str]]:
    """Top-level members of a JSON object that `parse` accepted: parsed value and written text.

    Of duplicate keys the first wins.
    """
    found: dict[str, tuple[Any, str]] = {}
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _after_space(text, text.index(":", at) + 1)
        value, end = _DECODER.raw_decode(text, start)
        found.setdefault(key, (value, text[start:end]))
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def utc(value: Any) -> datetime | None:
    """Read an instant as UTC without time zone; None where it is not one we accept."""
    match = isinstance(value, str) and not isinstance(value, Number) and _INSTANT.fullmatch(value)
    if not match:
        return None
    *parts, fraction, zone, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond)
        if zone in (None, "Z"):
            return local
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None


def _event(found: dict[str, tuple[Any, str]]) -> Event | Rejected:
    texts = {
        name: text
        for name in ("app_token", "event_type", *OPTIONAL_TEXTS)
        if name in found and (text := _scalar(found[name][0])) is not None
    }
    if "app_token" not in texts:
        return Rejected("no_app_token")
    if "event_type" not in texts:
        return Rejected("no_event_type")
    inserted_at = utc(found["inserted_at"][0]) if "inserted_at" in found else None
    if inserted_at is None:
        return Rejected("bad_inserted_at")
    objects = {
        name: text
        for name in OBJECTS
        if name in found and (text := _object(*found[name])) is not None
    }
    unknown = [
        f"{json.dumps(key)}:{raw}"
        for key, (_, raw) in found.items()
        if key not in REQUIRED and key not in OPTIONAL_TEXTS and key not in OBJECTS
    ]
    if unknown:
        objects["extra"] = "{" + ",".join(unknown) + "}"
    return Event(texts, inserted_at, objects)


def _scalar(value: Any) -> str | None:
    """Text of a scalar in its written form; None for null, "", objects and arrays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) and value else None


def _object(value: Any, raw: str) -> str | None:
    """JSON text of `metadata` or `attributes`: as delivered, an object given as text is opened."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and not isinstance(value, Number):
        try:
            if isinstance(parse(value), dict):
                return value
        except NotJSONError:
            pass
    return raw


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _encode(value: Any) -> None:
    """Raise UnicodeEncodeError (a ValueError) where a string holds half a surrogate pair."""
    json.dumps(value, ensure_ascii=False).encode()


def _depth(text: str) -> int:
    """How deep arrays and objects nest; cheap for texts with few brackets."""
    brackets = text.count("[") + text.count("{")
    if brackets <= MAX_DEPTH:
        return brackets
    depth = deepest = 0
    for token in _BRACKET.finditer(text):
        first = token[0][0]
        depth += first in "[{"
        depth -= first in "]}"
        deepest = max(depth, deepest)
    return deepest


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=Number, parse_float=Number)
_SPACE = re.compile(r"[ \t\r\n]*")
_MAY_HOLD_SURROGATE = re.compile(r"\\u[dD]")
_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(Z|([+-])([01]\d|2[0-3]):?([0-5]\d))?",
    re.ASCII,
)

# ---------- the fast way

# Instants that DuckDB reads as `utc` does: real days, no zone but UTC (its reader ignores offsets).
_PLAIN_INSTANT = (
    r"[12][0-9]{3}-"
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-]00:00)?"
)
_PLAIN_INSTANTS = re.compile(rf"{_PLAIN_INSTANT}(?:\n{_PLAIN_INSTANT})*+")
_Text = Annotated[str, msgspec.Meta(min_length=1)]
# Numbers that DuckDB writes as they were written: neither fractions nor `-0`.
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class _Instant:
    """Stands in a decoded line for an instant, whose text is in `_instants`."""


_instants: list[Any] = []


def _note_instant(_: type, text: Any) -> _Instant:
    """Put an instant aside: to check those of a block at once takes half the time.

    Of a key that is there twice both are noted: DuckDB takes the first, the decoder the last.
    """
    _instants.append(text)
    return _AN_INSTANT


_AN_INSTANT = _Instant()


def _plain_fraction(token: str) -> float:
    """Read a fraction inside of `metadata` or `attributes`.

    Raises:
        ValueError: DuckDB may write it in another way; not so what is short and has no exponent.
    """
    number = float(token)
    if repr(number) != token or "e" in token:
        raise ValueError(token)
    return number


_PlainLine = msgspec.defstruct(
    "_PlainLine",
    [
        ("app_token", _Text),
        ("event_type", _Text),
        ("inserted_at", _Instant),
        *((name, str | _Count | bool | None, None) for name in OPTIONAL_TEXTS),
        *((name, dict[str, Any] | None, None) for name in OBJECTS),
    ],
    forbid_unknown_fields=True,
    gc=False,
)
_decode_plain = msgspec.json.Decoder(
    _PlainLine, float_hook=_plain_fraction, dec_hook=_note_instant
).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_first_byte = itemgetter(slice(1))


def count_plain(block: bytes) -> int:
    """Number of lines of a block; 0 unless each is an event that DuckDB may read as it stands.

    A key may be there twice: DuckDB takes the first, as `classify` does.
    """
    _instants.clear()
    lines = _count_decodable(_decode_plain, block)
    return lines if lines and _are_plain(_instants) else 0


def _are_plain(instants: list[Any]) -> bool:
    try:
        text = "\n".join(instants)
    except TypeError:
        return False
    return text.count("\n") == len(instants) - 1 and _PLAIN_INSTANTS.fullmatch(text) is not None


def is_plain(line: bytes) -> bool:
    """Whether a line is an event that DuckDB may read as it stands."""
    return count_plain(line) == 1


def is_plain_object(line: bytes) -> bool:
    """Whether a line is, without doubt, a JSON object."""
    return _count_decodable(_decode_object, line) == 1


def _count_decodable(decode: Callable[[bytes], object], block: bytes) -> int:
    lines = block.split(b"\n")
    if b"\r" in block or set(map(_first_byte, lines)) != {b"{"} or any(map(_is_deep, lines)):
        return 0
    try:
        deque(map(decode, lines), maxlen=0)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return 0
    return len(lines)


def _is_deep(line: bytes) -> bool:
    return len(line) > 2 * MAX_DEPTH and line.count(b"{") + line.count(b"[") > MAX_DEPTH
