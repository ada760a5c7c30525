"""What every rival is asked, and the form of the answer. Standard library only.

Each rival is a script, `python -m scripts.benchmark.rivals.with_… EXPORT OUTPUT`, that

1. reads all files below the folder EXPORT and passes over lines that are no events,
2. keeps of each (app_token, internal_event_id) the copy of the latest folder date, then of the
   greatest path, then the last line,
3. writes to the folder OUTPUT: the events with all their fields, users (first and last seen,
   events, page views, latest company, e-mail and plan of the latest identification), sessions
   (start, end, events, page views, entry and exit page), NPS responses, experiment users and the
   funnels' users,
4. prints the answer as one line of JSON.
"""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

DAY = 86_400

# Fields of the vendor's schema page, with DuckDB's types.
COLUMNS = {
    "app_token": "VARCHAR",
    "event_type": "VARCHAR",
    "event_name": "VARCHAR",
    "user_id": "VARCHAR",
    "company_id": "VARCHAR",
    "source": "VARCHAR",
    "inserted_at": "TIMESTAMP",
    "internal_event_id": "VARCHAR",
    "hostname": "VARCHAR",
    "pathname": "VARCHAR",
    "screen_width": "INTEGER",
    "screen_height": "INTEGER",
    "device_type": "VARCHAR",
    "user_agent": "VARCHAR",
    "operating_system": "VARCHAR",
    "browser": "VARCHAR",
    "browser_language": "VARCHAR",
    "session": "VARCHAR",
    "country_code": "VARCHAR",
    "metadata": "JSON",
}


@dataclass(frozen=True)
class Goal:
    """What counts as a conversion, within days after the exposure; without a type: COMPLETED."""

    event_type: str | None = None
    event_name: str | None = None
    days: int | None = None


# As the project's seeds declare them.
GOALS = {
    "9": Goal("track", "Integration: Connected", 7),
    "12": Goal("track_feature", "77", 14),
    "15": Goal(),
}


@dataclass(frozen=True)
class Step:
    """A step of a funnel: an event type, and what the event's name begins and ends with."""

    event_type: str
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True)
class Funnel:
    """Steps, each strictly later than the one before, all within the window of the first."""

    name: str
    window_seconds: int
    steps: tuple[Step, ...]


FUNNELS = (
    Funnel(
        "activation",
        7 * DAY,
        (
            Step("track", "Account: Signed Up", "Account: Signed Up"),
            Step("page_view"),
            Step("track_feature"),
            Step("interaction", "checklist", ":COMPLETED"),
        ),
    ),
    Funnel(
        "tour",
        DAY,
        (
            Step("interaction", "experience:493:SEEN", "experience:493:SEEN"),
            Step("interaction", "experience_step:998:COMPLETED", ":COMPLETED"),
            Step("interaction", "experience_step:999:COMPLETED", ":COMPLETED"),
            Step("interaction", "experience_step:1000:COMPLETED", ":COMPLETED"),
            Step("interaction", "experience:493:COMPLETED", "experience:493:COMPLETED"),
        ),
    ),
)


@dataclass
class Answer:
    """The numbers in which all must agree.

    Attributes:
        nps: by survey, the number of responses, promoters and detractors.
        experiments: by experiment and variant, the number of users who saw no other variant, and
            how many of them converted.
        funnels: by funnel, the number of users who reached each step.
    """

    events: int = 0
    users: int = 0
    sessions: int = 0
    nps: dict[str, list[int]] = field(default_factory=dict)
    experiments: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    funnels: dict[str, list[int]] = field(default_factory=dict)

    def add_count(self, table: str, rows: Any) -> None:
        """Take the number of rows of `events`, `users` or `sessions`."""
        setattr(self, table, int(rows))

    def add_nps(self, rows: Iterable[Iterable[Any]]) -> None:
        """Take rows of (survey, responses, promoters, detractors)."""
        for survey, *counts in rows:
            self.nps[survey] = [int(count) for count in counts]

    def add_experiments(self, rows: Iterable[Iterable[Any]]) -> None:
        """Take rows of (experiment, variant, clean users, converted users)."""
        for experiment, variant, *counts in rows:
            self.experiments.setdefault(experiment, {})[variant] = [int(count) for count in counts]

    def add_funnel(self, funnel: Funnel, max_steps: Iterable[Iterable[Any]]) -> None:
        """Take rows of (last step reached, users): whoever reached a step reached those before."""
        by_step = {int(step): int(users) for step, users in max_steps}
        self.funnels[funnel.name] = [
            sum(users for step, users in by_step.items() if step >= number)
            for number in range(1, 1 + len(funnel.steps))
        ]

    def to_json(self) -> str:
        """Write the answer, always in the same order."""
        return json.dumps(asdict(self), sort_keys=True)


def run(answer: Callable[[str, str], Answer]) -> None:
    """Run a rival as a script."""
    print(answer(*sys.argv[1:]).to_json())
