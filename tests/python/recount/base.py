"""What every table of the recount is counted from."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from .jsontext import Json, text_of, to_json
from .privacy import Judged, judge
from .reading import Event, Export
from .seeds import Seeds
from .values import boolean, integer

Row = dict[str, object]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

TEXT_ATTRIBUTES = (
    *("feedback", "interaction_id", "survey_question", "variant", "article_title", "article_url"),
    *("follow_up_question", "submission_id"),
)


@dataclass(frozen=True)
class Settings:
    """The vars of `dbt_project.yml` that change numbers."""

    reporting_timezone: str = "UTC"
    session_gap_minutes: float = 30
    trait_merge: str = "latest_value"
    effectiveness_days: int = 7
    traits_to_hash: Sequence[str] = ()
    traits_to_drop: Sequence[str] = ()
    excluded_users: Sequence[str] = ()
    excluded_hostnames: Sequence[str] = ()
    excluded_user_agents: Sequence[str] = ()
    salt: str = ""  # from the environment, not a var

    @classmethod
    def of(cls, variables: dict[str, Any]) -> "Settings":
        """Take those of a project's vars that change numbers."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in variables.items() if name in known})


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction event with its name and its metadata taken apart."""

    event: Event
    entity_type: str | None
    entity_id: str | None
    status: str | None
    attributes: dict[str, str | None]
    parent_type: str | None
    parent_id: str | None

    @property
    def entity(self) -> tuple[str, str | None, str | None]:
        """The app, type and id of what was interacted with."""
        return (self.event.app_token, self.entity_type, self.entity_id)


@dataclass
class Counted:
    """An export, how to count it, and what several tables need."""

    export: Export
    settings: Settings = field(default_factory=Settings)
    seeds: Seeds = field(default_factory=Seeds)

    @property
    def events(self) -> list[Event]:
        """The deduplicated events in order of time, less those that the configuration removes."""
        return self.judged.kept

    @cached_property
    def judged(self) -> Judged:
        """The deduplicated events, protected, kept and removed."""
        erased = {(cells["app_token"], cells["user_id"]) for cells in self.seeds.erased_users}
        return judge(self.export.events, self.settings, erased)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone whose midnights separate days."""
        return ZoneInfo(self.settings.reporting_timezone)

    def date_of(self, moment: datetime) -> date:
        """The date of a UTC moment in the reporting zone."""
        try:
            return moment.replace(tzinfo=UTC).astimezone(self.zone).date()
        except OverflowError:
            return moment.date()

    @cached_property
    def as_of_date(self) -> date | None:
        """Today: the date of the latest event that is not future-dated."""
        past = [event.occurred_at for event in self.events if not event.is_future_dated]
        return self.date_of(max(past)) if past else None

    @cached_property
    def end_of_as_of_date(self) -> datetime | None:
        """The UTC moment at which the day after `as_of_date` begins."""
        if self.as_of_date is None:
            return None
        midnight = datetime.combine(self.as_of_date + timedelta(days=1), time(), self.zone)
        return midnight.astimezone(UTC).replace(tzinfo=None)

    @cached_property
    def interactions(self) -> list[Interaction]:
        """Interaction events in order of time."""
        return [interaction(e) for e in self.events if e.event_type == "interaction"]

    @cached_property
    def items_by_user(self) -> dict[tuple[str, str], list[Interaction]]:
        """Every event of each user, interactions taken apart, in order of time."""
        return {
            user: [interaction(event) for event in history]
            for user, history in self.by_user.items()
        }

    @cached_property
    def by_user(self) -> dict[tuple[str, str], list[Event]]:
        """Events of each user, in order of time."""
        users: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            if event.user_id is not None:
                users.setdefault((event.app_token, event.user_id), []).append(event)
        return users

    @cached_property
    def by_company(self) -> dict[tuple[str, str], list[Event]]:
        """Events that carry each company, in order of time."""
        companies: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            if event.company_id is not None:
                companies.setdefault((event.app_token, event.company_id), []).append(event)
        return companies

    def name_of(self, app_token: str, entity_type: str, entity_id: str | None) -> str | None:
        """The name of an entity in the seed, if it has one."""
        entity = (app_token, entity_type, entity_id)
        columns = ("app_token", "entity_type", "entity_id")
        return next(
            (
                cells["name"] or None
                for cells in self.seeds.content
                if tuple(cells[column] for column in columns) == entity
            ),
            None,
        )

    def company_as_of(self, user: tuple[str, str], moment: datetime) -> str | None:
        """The company of the user's last event with one, at or before the moment."""
        return last(e.company_id for e in self.by_user[user] if e.occurred_at <= moment)


def interaction(event: Event) -> Interaction:
    """Take an event apart; only the name of an interaction says something about an entity."""
    name = event.event_name if event.event_type == "interaction" else None
    parts = (name or "").split(":")
    entity_type = entity_id = status = None
    if len(parts) > 2 and parts[0] and parts[-1] and (middle := ":".join(parts[1:-1])):
        entity_type, entity_id, status = parts[0], middle, parts[-1]
    metadata = event.metadata or {}
    names = ("status", "parent_id", "is_dismissed", "never_show_again", "total_dismissed", "score")
    attributes = {name: text_of(metadata.get(name)) for name in (*TEXT_ATTRIBUTES, *names)}
    parent_type, parent_id = None, attributes["parent_id"]
    if parent_id is not None:
        before, _, after = parent_id.rpartition("_")
        if before and after:
            parent_type, parent_id = before, after
    return Interaction(event, entity_type, entity_id, status, attributes, parent_type, parent_id)


def typed_attributes(item: Interaction) -> Row:
    """The attributes with their types."""
    texts = item.attributes
    return {
        "metadata_status": texts["status"],
        "is_dismissed": boolean(texts["is_dismissed"]),
        "never_show_again": boolean(texts["never_show_again"]),
        "total_dismissed": integer(texts["total_dismissed"]),
        "score": integer(texts["score"]),
        "score_text": _as_delivered((item.event.metadata or {}).get("score")),
        **{name: texts[name] for name in TEXT_ATTRIBUTES},
    }


def _as_delivered(value: Json) -> str | None:
    return to_json(value) if isinstance(value, (dict, list)) else text_of(value)


def grouped(items: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    """Items by key, in the order they came."""
    groups: dict[K, list[V]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def first(values: Iterable[V | None]) -> V | None:
    """The first value that is there."""
    return next((value for value in values if value is not None), None)


def last(values: Iterable[V | None]) -> V | None:
    """The last value that is there."""
    result = None
    for value in values:
        if value is not None:
            result = value
    return result


def users_of(events: Iterable[Event]) -> set[str]:
    """The distinct users of some events."""
    return {event.user_id for event in events if event.user_id is not None}


def ratio(part: float, whole: float) -> float | None:
    """Part of whole, nothing where there is no whole."""
    return part / whole if whole else None


def seconds(start: datetime, end: datetime) -> float:
    """Seconds between two moments, with fractions."""
    return (end - start) / timedelta(seconds=1)
