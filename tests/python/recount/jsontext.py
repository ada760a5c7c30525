"""JSON as RFC 8259 has it, with every number kept as it was written."""

import json
import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

Json: TypeAlias = "bool | str | Number | list[Json] | dict[str, Json] | None"

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number in its written form."""

    text: str


class NotJson(ValueError):
    """The text is not one JSON value."""


def parse(text: str) -> Json:
    """Read one JSON value; of duplicate keys the first wins.

    Raises:
        NotJson: the text is not JSON by RFC 8259, or nests too deeply to be read.
    """
    try:
        value: Json = _decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    if "\\u" in text and _has_lone_surrogate(text):
        raise NotJson("lone surrogate")
    return value


def to_json(value: Json) -> str:
    """Write a value back, numbers as they were read."""
    match value:
        case Number(text):
            return text
        case dict():
            pairs = (f"{json.dumps(key)}:{to_json(item)}" for key, item in value.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(to_json(item) for item in value) + "]"
        case _:
            return json.dumps(value)


def text_of(value: Json) -> str | None:
    """The text where an id or a word is expected: null, "" and structures are nothing."""
    match value:
        case Number(text):
            return text
        case bool():
            return "true" if value else "false"
        case str():
            return value or None
        case _:
            return None


def object_of(value: Json) -> dict[str, Json] | None:
    """A non-empty object, also one that was delivered as a JSON string."""
    if isinstance(value, str):
        try:
            value = parse(value)
        except NotJson:
            return None
    return value if isinstance(value, dict) and value else None


def freeze(value: Json) -> object:
    """A hashable form in which the order of keys does not count."""
    match value:
        case dict():
            return ("object", frozenset((key, freeze(item)) for key, item in value.items()))
        case list():
            return ("array", tuple(freeze(item) for item in value))
        case bool():
            return ("boolean", value)
        case _:
            return value


def _first_wins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        result.setdefault(key, value)
    return result


def _refuse(constant: str) -> NoReturn:
    raise NotJson(constant)


_decode = json.JSONDecoder(
    object_pairs_hook=_first_wins, parse_int=Number, parse_float=Number, parse_constant=_refuse
).decode


def _has_lone_surrogate(text: str) -> bool:
    """Escapes occur only inside strings, so the escapes of a valid text tell everything."""
    high_ends_at = None
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else 0
        is_low = 0xDC00 <= code <= 0xDFFF
        if is_low != (high_ends_at is not None) or high_ends_at not in (None, escape.start()):
            return True
        high_ends_at = escape.end() if 0xD800 <= code <= 0xDBFF else None
    return high_ends_at is not None
