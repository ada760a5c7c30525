"""What the project wants to reach, and whether it did."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.benchmark.campaign import Campaign

START_SECONDS = 3


@dataclass(frozen=True)
class Target:
    """A figure and its limit, both in the same unit.

    Attributes:
        what: what is measured, on how many events.
        unit: behind the figures.
    """

    what: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the figure is within the limit."""
        return self.measured <= self.limit


def targets(campaign: Campaign) -> list[Target]:
    """Return the targets for which everything was measured."""
    sizes = sorted(export.events for export in campaign.exports)
    found = [target for events in sizes for target in _of_size(campaign, events)]
    found += _of_a_day(campaign, sizes[-1])
    if len(sizes) > 1:
        found += _of_growth(campaign, sizes[0], sizes[-1])
    return found


def _of_size(campaign: Campaign, events: int) -> Iterator[Target]:
    on = f"{events:,} events"
    floor = campaign.median("floor", events)
    for system, label, limit in (
        ("full", "full / floor", 2.5),
        ("load", "load / floor", 1.5),
        ("resync", "everything sent again / floor", 1.5),
        ("regrouped", "everything sent again in other files / floor", 1.5),
    ):
        measured = campaign.median(system, events)
        if floor and measured:
            yield Target(f"{label}, {on}", measured.seconds / floor.seconds, limit, "x")
    yield from _beside_rivals(campaign, events)
    again, start = campaign.median("again", events), campaign.median("dbt_start", events)
    if again and start:
        limit = START_SECONDS + start.seconds
        yield Target(f"nothing new, {on} (3 s and dbt's start)", again.seconds, limit, "s")
    full = campaign.median("full", events)
    if full:
        yield Target(f"peak memory of full, {on}", full.peak_bytes / 1e9, 2, "GB")
    export = next(export for export in campaign.exports if export.events == events)
    size = campaign.size_bytes(events)
    if size:
        yield Target(f"database / NDJSON, {on}", size / export.size_bytes, 0.25, "x")


def _beside_rivals(campaign: Campaign, events: int) -> Iterator[Target]:
    part = campaign.median("part", events)
    for label, names, limit in (
        ("polars", ["polars"], 1),
        ("pandas", ["pandas"], 1),
        ("Spark", ["spark"], 1),
        ("the faster of plain DuckDB SQL and chDB", ["duckdb", "chdb"], 1.2),
    ):
        medians = [median for name in names if (median := campaign.median(name, events))]
        if part and len(medians) == len(names):
            what = f"the rivals' part / {label}, {events:,} events"
            yield Target(what, part.seconds / min(one.seconds for one in medians), limit, "x")


def _of_a_day(campaign: Campaign, events: int) -> Iterator[Target]:
    day = campaign.median("day", events)
    for system, label, limit in (
        ("full", "full", 1 / 15),
        ("day_of_recent", "the same onto a tenth of the days", 1.5),
    ):
        other = campaign.median(system, events)
        if day and other:
            what = f"one day more / {label}, {events:,} events"
            yield Target(what, day.seconds / other.seconds, limit, "x")


def _of_growth(campaign: Campaign, small: int, large: int) -> Iterator[Target]:
    before, after = campaign.median("full", small), campaign.median("full", large)
    if before and after:
        yield Target(
            f"full, {large:,} events / {small:,} events",
            after.seconds / before.seconds,
            1.05 * large / small,
            "x",
        )
