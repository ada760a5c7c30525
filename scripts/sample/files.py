"""Writes the story as Data Sync would, and as it does on its bad days.

Most days are one gzip file an app. The oddities are spread over the period by fixed fractions of
it, so that every one of them is there in any sample.
"""

import gzip
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from tqdm import tqdm

from scripts.sample import catalog
from scripts.sample.catalog import MAIN, STAGING
from scripts.sample.story import Day, Story, encode

LINES_PER_FILE = 20_000
BAD_SHARE = 0.003  # of all lines; a day never gets more than 0.9 % of its own
FRACTIONS = {  # of the period, at which a special day of the main app comes
    0.2: "ndjson",
    0.25: "jsonl",
    0.3: "zst",
    0.35: "two_members",
    0.4: "crlf",
    0.45: "bom",
    0.5: "no_last_newline",
    0.55: "by_type",
    0.6: "blank_lines",
}
LATE_DAY, LATE_FOLDER = 0.32, 5  # a fifth of that day comes so many days later
MISSING_DAY, MISSING_FOLDER = 0.42, 3  # all of that day of the staging app does
RESYNC_FROM, RESYNC_DAYS, RESYNC_FOLDER = 0.52, 7, 10  # a week again, so many days later
WRONG_CLOCKS = ((0.65, timedelta(days=2000)), (0.7, timedelta(days=-3, hours=-5)))
SNAPSHOT_DAYS = 3  # snapshots lie in the last so many folders


def write_gzip(data: bytes) -> bytes:
    """Compress without a name or a time, so that equal data give equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def joined(lines: Iterable[bytes]) -> bytes:
    """End every line with LF."""
    return b"".join(line + b"\n" for line in lines)


def bad_lines(good: Iterator[bytes]) -> Iterator[bytes]:
    """Break good lines, in every way a line can be broken, one after the other."""
    kinds: tuple[Callable[[bytes], bytes], ...] = (
        lambda line: line[: len(line) // 2],
        lambda line: line[:-1] + b',"ratio":NaN}',
        lambda line: line[:-1] + b",}",
        lambda line: line.replace(b'"app_token"', b'"token"', 1),
        lambda line: line.replace(b'"inserted_at":"2', b'"inserted_at":"2-30-', 1),
        lambda line: line.replace(b'"event_name":"', b'"event_name":"\xff\xfe', 1),
        lambda line: b"[" + line + b"]",
        lambda line: line.replace(b'"event_type":"', b'"event_type":"","was":"', 1),
        lambda line: line + line,
        lambda line: line[:-1] + b',"note":"\\ud800"}',
        lambda line: b"-- export interrupted, see log --",
        lambda line: line.replace(b'"inserted_at":"', b'"inserted_at":1746949530,"was":"', 1),
        lambda line: b"{}",
    )
    for break_line, line in zip(cycle(kinds), good):
        yield break_line(line)


@dataclass
class Written:
    """What was written, for the summary."""

    files: int = 0
    lines: int = 0
    bad_lines: int = 0
    repeated_lines: int = 0
    size_bytes: int = 0
    apps: dict[str, int] = field(default_factory=dict)


class Export:
    """The export folder while it is written, day by day."""

    def __init__(self, folder: Path, story: Story, expected_lines: int) -> None:
        """Prepare to write `story` to `folder`."""
        self.folder, self.story = folder, story
        self.written = Written()
        self._mean_lines = expected_lines / story.days
        self._bad_owed = 0.0
        self._last_good = b""
        self._bad = bad_lines(iter(lambda: self._last_good, None))
        self._special = {self._day(at): form for at, form in FRACTIONS.items()}
        self._week: dict[date, list[bytes]] = {}
        self._late: list[bytes] = []
        self._wrong_clocks = list(WRONG_CLOCKS)
        self._missing: list[bytes] = []

    def write(self) -> Written:
        """Write all days."""
        for day in tqdm(self.story.play(), "days", self.story.days, disable=None):
            self._write_main(day)
            self._write_staging(day)
            if day.number >= self.story.days - SNAPSHOT_DAYS:
                self._write_snapshots(day)
        self._file(self._folder(MAIN, self.story.start) / ".DS_Store", b"\x00\x01Bud1", 0)
        self._file(
            self._folder(MAIN, self.story.start) / "flow_summary.csv",
            b"flow_id,shown,completed\r\n493,120,31\r\n",
            0,
        )
        return self.written

    def _day(self, fraction: float) -> int:
        return int(fraction * self.story.days)

    def _folder(self, app: str, day: date) -> Path:
        name = f"userpilot_datasync_{catalog.SYNC_IDS[app]}_{app}"
        return self.folder / name / day.isoformat()

    def _file(self, path: Path, data: bytes, lines: int) -> None:
        """Write a file with the time at which Data Sync would have (03:00 UTC the day after)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        day = datetime.fromisoformat(path.parent.name).replace(tzinfo=UTC)
        modified = (day + timedelta(days=1, hours=3)).timestamp()
        os.utime(path, (modified, modified))
        self.written.files += 1
        self.written.lines += lines
        self.written.size_bytes += len(data)

    # -- events -------------------------------------------------------------------------------

    def _write_main(self, day: Day) -> None:
        lines = day.lines[MAIN]
        self.written.apps[MAIN] = self.written.apps.get(MAIN, 0) + len(lines)
        folder = self._folder(MAIN, day.date)
        first = self._day(RESYNC_FROM)
        if first <= day.number < first + RESYNC_DAYS:
            self._week[day.date] = list(lines)
        if day.number == min(first + RESYNC_DAYS + RESYNC_FOLDER, self.story.days - 1):
            self._write_resync(folder)
        if day.number == self._day(LATE_DAY):
            self._late, lines = lines[::5], [line for n, line in enumerate(lines) if n % 5]
        if day.number == self._day(LATE_DAY) + LATE_FOLDER:
            name = f"events_{day.date - timedelta(days=LATE_FOLDER):%Y%m%d}_late.ndjson.gz"
            self._file(folder / name, write_gzip(joined(self._late)), len(self._late))
        if lines and self._wrong_clocks and day.number >= self._day(self._wrong_clocks[0][0]):
            _, by = self._wrong_clocks.pop(0)
            lines = [*lines, self._moved(lines[-1], by)]
        self._write_day(day, folder, self._with_bad_lines(lines))

    def _write_staging(self, day: Day) -> None:
        lines = day.lines[STAGING]
        self.written.apps[STAGING] = self.written.apps.get(STAGING, 0) + len(lines)
        folder = self._folder(STAGING, day.date)
        if day.number == self._day(MISSING_DAY):
            self._missing = lines
            return
        if day.number == self._day(MISSING_DAY) + MISSING_FOLDER:
            name = f"events_{day.date - timedelta(days=MISSING_FOLDER):%Y%m%d}_000.jsonl.gz"
            self._file(folder / name, write_gzip(joined(self._missing)), len(self._missing))
        name = f"events_{day.date:%Y%m%d}_000.ndjson.gz"
        self._file(folder / name, write_gzip(joined(lines)), len(lines))

    def _write_day(self, day: Day, folder: Path, lines: list[bytes]) -> None:
        stem = f"events_{day.date:%Y%m%d}"
        data, count = joined(lines), len(lines)
        match self._special.get(day.number):
            case "ndjson":
                self._file(folder / f"{stem}_000.ndjson", data, count)
            case "jsonl":
                self._file(folder / f"{stem}.jsonl", data, count)
            case "zst":
                packed = zstandard.ZstdCompressor(level=3).compress(data)
                self._file(folder / f"{stem}_000.ndjson.zst", packed, count)
            case "two_members":
                half = count // 2
                packed = write_gzip(joined(lines[:half])) + write_gzip(joined(lines[half:]))
                self._file(folder / f"{stem}_000.ndjson.gz", packed, count)
            case "crlf":
                crlf = b"".join(line + b"\r\n" for line in lines)
                self._file(folder / f"{stem}_000.ndjson", crlf, count)
            case "bom":
                self._file(folder / f"{stem}_000.json", b"\xef\xbb\xbf" + data, count)
            case "no_last_newline":
                self._file(folder / f"{stem}_000.ndjson.gz", write_gzip(data[:-1]), count)
            case "blank_lines":
                spaced = [b"", *lines[:5], b"  \t", *lines[5:], b""]
                self._file(folder / f"{stem}_000.json.gz", write_gzip(joined(spaced)), len(spaced))
            case "by_type":
                self._write_by_type(folder, lines)
            case _:
                size = LINES_PER_FILE if day.number % 7 != 2 else count // 2 + 1
                for part, at in enumerate(range(0, count, size)):
                    chunk = lines[at : at + size]
                    name = f"{stem}_{part:03}.ndjson.gz"
                    self._file(folder / name, write_gzip(joined(chunk)), len(chunk))

    def _write_by_type(self, folder: Path, lines: list[bytes]) -> None:
        """Write one file a kind of event and one a feature, the other way exports are split."""
        groups: dict[str, list[bytes]] = {}
        for line in lines:
            try:
                event = msgspec.json.decode(line)
                name = event["event_type"]
                if name == "track_feature":
                    name += "_" + event["event_name"]
            except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
                name = "events"
            groups.setdefault(name or "events", []).append(line)
        for name, group in sorted(groups.items()):
            self._file(folder / f"{name}.ndjson.gz", write_gzip(joined(group)), len(group))

    def _with_bad_lines(self, lines: list[bytes]) -> list[bytes]:
        """Add the bad lines that are owed, on days large enough to bear them."""
        self._bad_owed += BAD_SHARE * len(lines)
        if len(lines) < self._mean_lines or self._bad_owed < 1:
            return lines
        count = min(int(self._bad_owed), max(1, int(len(lines) * 0.009)))
        self._bad_owed -= count
        self.written.bad_lines += count
        step = len(lines) // (count + 1)
        mixed = list(lines)
        for place in range(count, 0, -1):
            self._last_good = lines[place * step]
            mixed.insert(place * step, next(self._bad))
        return mixed

    def _moved(self, line: bytes, by: timedelta) -> bytes:
        """Copy an event to another time, as a wrong clock would date it."""
        event = msgspec.json.decode(line)
        moment = datetime.combine(self.story.date, datetime.min.time()) + by
        event["inserted_at"] = moment.isoformat(timespec="microseconds") + "Z"
        if "internal_event_id" in event:
            event["internal_event_id"] = f"{len(line)}{moment:%Y%m%d%H%M%S}"
        return encode(event)

    def _write_resync(self, folder: Path) -> None:
        """Send a week again: mostly equal, some with other key order, a few corrected."""
        for day, lines in self._week.items():
            again = []
            for number, line in enumerate(lines):
                event: dict[str, Any] = msgspec.json.decode(line)
                if number % 50 == 7:
                    event = dict(reversed(event.items()))
                if number % 97 == 11:
                    event["country_code"] = "NL"
                if number % 211 == 31 and isinstance(event.get("metadata"), dict):
                    event["metadata"]["corrected"] = "True"
                again.append(encode(event))
            self.written.repeated_lines += len(again)
            name = f"events_{day:%Y%m%d}_resync.ndjson.gz"
            self._file(folder / name, write_gzip(joined(again)), len(again))
        self._week.clear()

    # -- snapshots and definitions ------------------------------------------------------------

    def _write_snapshots(self, day: Day) -> None:
        for app in (MAIN, STAGING):
            folder = self._folder(app, day.date)
            for name, records in (
                ("all_users", self._all_users(app)),
                ("all_companies", self._all_companies(app)),
                ("feature_tags_definitions", self._definitions(app)),
                ("feature_tags_breakdown", self._breakdown(app, day)),
            ):
                lines = [encode(record) for record in records]
                self._file(folder / f"{name}.ndjson", joined(lines), len(lines))

    def _all_users(self, app: str) -> Iterator[dict[str, object]]:
        for user in self.story.users:
            if user.app == app and user.first_seen:
                yield {
                    "app_token": app,
                    "user_id": user.user_id,
                    "company_id": user.company.company_id if user.company else "",
                    "first_seen_at": user.first_seen,
                    "last_seen_at": user.last_seen,
                    "web_sessions": user.session,
                    "country_code": user.country,
                    "metadata": {
                        "email": Story.email(user),
                        "name": user.name,
                        "plan_type": user.plan,
                        "role": user.role,
                    },
                }

    def _all_companies(self, app: str) -> Iterator[dict[str, object]]:
        companies = {
            user.company.number: user.company
            for user in self.story.users
            if user.app == app and user.company and user.first_seen
        }
        for _, company in sorted(companies.items()):
            yield {
                "app_token": app,
                "company_id": company.company_id,
                "metadata": {
                    "name": company.name,
                    "industry": company.industry,
                    "plan": company.plan,
                    "created_at": f"{company.created}T00:00:00Z",
                    "employees": company.employees,
                },
            }

    @staticmethod
    def _definitions(app: str) -> Iterator[dict[str, object]]:
        for feature, (name, description, category) in catalog.FEATURES.items():
            yield {
                "app_token": app,
                "id": feature,
                "name": name,
                "description": description,
                "category": category,
            }

    @staticmethod
    def _breakdown(app: str, day: Day) -> Iterator[dict[str, object]]:
        for (of_app, feature), count in sorted(day.feature_uses.items()):
            if of_app == app:
                yield {
                    "app_token": app,
                    "id": feature,
                    "date": day.date.isoformat(),
                    "event_count": count,
                    "user_count": len(day.feature_users[of_app, feature]),
                }
