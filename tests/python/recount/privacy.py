"""What the configuration hides, erases and excludes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .jsontext import Json, text_of, to_json
from .reading import Event
from .seeds import cell_matches


class Rules(Protocol):
    """The settings that matter here."""

    traits_to_hash: Sequence[str]
    traits_to_drop: Sequence[str]
    excluded_users: Sequence[str]
    excluded_hostnames: Sequence[str]
    excluded_user_agents: Sequence[str]
    salt: str


@dataclass(frozen=True)
class Judged:
    """Events that count, and events removed with the reason and the rule."""

    kept: list[Event]
    removed: list[tuple[Event, str, str | None]]


def judge(events: list[Event], rules: Rules, erased: set[tuple[str, str]]) -> Judged:
    """Tell events that count from those removed; metadata of the former is protected."""
    excluded = _excluded_users(events, rules.excluded_users)
    judged = Judged([], [])
    for event in events:
        user = (event.app_token, event.user_id or "")
        if event.user_id is not None and user in erased:
            judged.removed.append((event, "erased_user", None))
        elif event.user_id is not None and user in excluded:
            judged.removed.append((event, "excluded_user", excluded[user]))
        elif rule := _fitting(event.hostname, rules.excluded_hostnames):
            judged.removed.append((event, "excluded_hostname", rule))
        elif rule := _fitting(event.user_agent, rules.excluded_user_agents):
            judged.removed.append((event, "excluded_user_agent", rule))
        else:
            judged.kept.append(protected(event, rules))
    return judged


def protected(event: Event, rules: Rules) -> Event:
    """The event without what its metadata must not show."""
    hidden = {name.lower() for name in (*rules.traits_to_hash, *rules.traits_to_drop)}
    if not event.metadata or not any(key.lower() in hidden for key in event.metadata):
        return event
    return replace(event, metadata=dict(_shown(event.metadata, rules)))


def _shown(metadata: dict[str, Json], rules: Rules) -> Iterator[tuple[str, Json]]:
    to_drop = {name.lower() for name in rules.traits_to_drop}
    to_hash = {name.lower() for name in rules.traits_to_hash}
    for key, value in metadata.items():
        if key.lower() in to_drop:
            continue
        if key.lower() in to_hash and value not in (None, ""):
            text = text_of(value) or to_json(value)
            yield key, hashlib.sha256((rules.salt + text).encode()).hexdigest()
        else:
            yield key, value


def _excluded_users(events: Iterable[Event], patterns: Sequence[str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for event in events:
        if event.user_id is None:
            continue
        email = None
        if event.event_type == "identify_user":
            email = text_of((event.metadata or {}).get("email"))
        for pattern in patterns:
            if cell_matches(pattern, event.user_id) or _fitting(email, [pattern]):
                user = (event.app_token, event.user_id)
                found[user] = min(found.get(user, pattern), pattern)
                break
    return found


def _fitting(text: str | None, patterns: Sequence[str]) -> str | None:
    """The first pattern that a text fits, whatever the case of its letters."""
    if text is None:
        return None
    return next((p for p in patterns if cell_matches(p.lower(), text.lower())), None)
