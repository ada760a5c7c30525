"""Write the results: a page of tables and a plot."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

from scripts.benchmark.campaign import Campaign, Median
from scripts.benchmark.targets import targets

TEMPLATES = Path(__file__).parent
PLOT_WIDTH, LABEL_WIDTH, BAR_HEIGHT = 820, 330, 22


@dataclass(frozen=True)
class Bar:
    """A bar of the plot, in pixels."""

    label: str
    kind: str
    y: int
    width: float
    text: str


@dataclass(frozen=True)
class Panel:
    """The bars of one export."""

    title: str
    y: int
    bars: list[Bar]


def write_results(
    campaign: Campaign, machine: dict[str, str], command: str, folder: Path
) -> tuple[Path, Path]:
    """Write `results.md` and `results.svg`; return their paths.

    Args:
        campaign: what was measured.
        machine: facts about where.
        command: what does it again.
        folder: where to write; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, plot = folder / "results.md", folder / "results.svg"
    page.write_text(
        _render(
            "results.md.j2",
            command=command,
            today=date.today(),
            machine=machine,
            targets=targets(campaign),
            sections=[_section(campaign, events) for events in _sizes(campaign)],
        ),
        encoding="utf-8",
    )
    panels = _panels(campaign)
    plot.write_text(
        _render(
            "results.svg.j2",
            panels=panels,
            width=PLOT_WIDTH,
            height=panels[-1].bars[-1].y + 40 if panels and panels[-1].bars else 40,
            label_width=LABEL_WIDTH,
            bar_height=BAR_HEIGHT,
        ),
        encoding="utf-8",
    )
    return page, plot


def _render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["svg.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values)


def _sizes(campaign: Campaign) -> list[int]:
    return sorted(export.events for export in campaign.exports)


def _section(campaign: Campaign, events: int) -> dict[str, Any]:
    """All that the page says about one export."""
    export = next(export for export in campaign.exports if export.events == events)
    floor = campaign.median("floor", events)
    rows = []
    for system in campaign.systems:
        median = campaign.median(system.name, events)
        rows.append(
            {
                "label": system.label,
                "is_rival": system.is_rival,
                "median": median,
                "parts": _parts(median),
                "ratio": median.seconds / floor.seconds if median and floor else None,
                "cpu_ratio": median.cpu_seconds / floor.cpu_seconds if median and floor else None,
                "error": campaign.error(system.name, events),
            }
        )
    return {
        "events": events,
        "lines": export.lines,
        "size_bytes": export.size_bytes,
        "database_bytes": campaign.size_bytes(events),
        "rows": rows,
        "answering": campaign.answering(events),
        "disagreements": campaign.disagreements(events),
    }


def _parts(median: Median | None) -> str:
    if median is None or len(median.steps) < 2:
        return ""
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in median.steps.items())


def _panels(campaign: Campaign) -> list[Panel]:
    panels, y = [], 20
    for events in _sizes(campaign):
        medians = [(one, campaign.median(one.name, events)) for one in campaign.systems]
        shown = [(one, median) for one, median in medians if median is not None]
        longest = max((median.seconds for _, median in shown), default=1.0)
        room = PLOT_WIDTH - LABEL_WIDTH - 70
        bars = [
            Bar(
                system.label.replace("`", ""),
                "rival" if system.is_rival else "own",
                y + 14 + number * (BAR_HEIGHT + 4),
                round(median.seconds / longest * room, 1),
                f"{median.seconds:.1f} s",
            )
            for number, (system, median) in enumerate(shown)
        ]
        panels.append(Panel(f"{events:,} events: seconds, medians", y, bars))
        y += 50 + len(bars) * (BAR_HEIGHT + 4)
    return panels
