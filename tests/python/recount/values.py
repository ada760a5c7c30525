"""Careful reading of numbers, booleans and times out of text."""

import re
from datetime import UTC, datetime, timedelta, timezone

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1)
_BIGINT = range(-(2**63), 2**63)


def integer(text: str | None) -> int | None:
    """The integer a text is exactly, if it fits 64 bits."""
    if text is None or not _INTEGER.fullmatch(text) or len(text) > 400:
        return None
    number = int(text)
    return number if number in _BIGINT else None


def boolean(text: str | None) -> bool | None:
    """True or false for the four texts that say so."""
    return {"1": True, "true": True, "0": False, "false": False}.get(text or "")


def timestamp(text: str | None) -> datetime | None:
    """A moment in UTC (without tzinfo), digits beyond the microsecond cut off."""
    found = _TIMESTAMP.fullmatch(text or "")
    if not found:
        return None
    date, time, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}.{(fraction or '')[:6]:0<6}")
        if sign:
            if int(minutes) > 59:
                return None
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            zone = timezone(offset if sign == "+" else -offset)
            moment = moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment


def trait_moment(text: str | None) -> datetime | None:
    """A moment out of a trait: ISO, a bare date, Unix seconds or milliseconds."""
    if text is None:
        return None
    if re.fullmatch("[0-9]{9,10}", text):
        return _EPOCH + timedelta(seconds=int(text))
    if re.fullmatch("[0-9]{12,13}", text):
        return _EPOCH + timedelta(milliseconds=int(text))
    return timestamp(f"{text}T00:00:00" if _DATE.fullmatch(text) else text)
