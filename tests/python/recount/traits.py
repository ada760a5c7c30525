"""Traits of users and companies: their history and their latest state."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from .base import Counted, Row, first, last
from .jsontext import Json, freeze, text_of, to_json
from .reading import Event
from .values import trait_moment

Traits = dict[str, Json]
SIGN_UP_KEYS = ("signed_up_at", "created_at", "signup_at", "sign_up_date")


def states(events: Iterable[Event], event_type: str, merge: str) -> Iterator[tuple[Event, Traits]]:
    """Each identify event that changed a trait, with the traits from then on."""
    traits: Traits = {}
    for event in events:
        if event.event_type != event_type or event.metadata is None:
            continue
        merged = {**({} if merge == "latest_row" else traits), **event.metadata}
        merged = {key: value for key, value in merged.items() if value is not None}
        if freeze(merged) != freeze(traits):
            traits = merged
            yield event, traits


def latest(events: Iterable[Event], event_type: str, merge: str) -> Traits:
    """The traits after all events."""
    return last(traits for _, traits in states(events, event_type, merge)) or {}


def word(traits: Traits, *keys: str) -> str | None:
    """The first of the keys that holds a text."""
    return first(text_of(traits.get(key)) for key in keys)


def moment(traits: Traits, *keys: str) -> datetime | None:
    """The first of the keys that holds a time."""
    return first(trait_moment(text_of(traits.get(key))) for key in keys)


def as_json(traits: Traits) -> str | None:
    """Traits as JSON, nothing where there are none."""
    return to_json(traits) if traits else None


def user_traits_history(counted: Counted) -> list[Row]:
    """One row per identify event that changed something of a user."""
    return _history(counted, counted.by_user, "identify_user", "user_id")


def company_traits_history(counted: Counted) -> list[Row]:
    """One row per identify event that changed something of a company."""
    return _history(counted, counted.by_company, "identify_company", "company_id")


def _history(
    counted: Counted, groups: dict[tuple[str, str], list[Event]], event_type: str, column: str
) -> list[Row]:
    rows: list[Row] = []
    for (app_token, identity), events in groups.items():
        changes = list(states(events, event_type, counted.settings.trait_merge))
        ends = [event.occurred_at for event, _ in changes[1:]]
        rows.extend(
            {
                "app_token": app_token,
                column: identity,
                "valid_from": event.occurred_at,
                "valid_to": end,
                "traits": to_json(traits),
            }
            for (event, traits), end in zip(changes, [*ends, None], strict=False)
        )
    return rows
