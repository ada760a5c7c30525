"""Events, people, companies and sessions."""

from datetime import timedelta
from itertools import pairwise

from . import traits as traits_of
from .base import (
    Counted,
    Row,
    first,
    grouped,
    interaction,
    last,
    seconds,
    typed_attributes,
    users_of,
)
from .feedback import nps_responses
from .jsontext import Json, text_of, to_json
from .reading import Event
from .values import integer

VISIT = (
    *("hostname", "pathname", "screen_width", "screen_height", "device_type", "user_agent"),
    *("operating_system", "browser", "browser_language", "country_code"),
)
COMMON = (
    *("app_token", "internal_event_id", "user_id", "company_id", "occurred_at", "session"),
    *("source", "is_activity", "is_future_dated"),
)


def events(counted: Counted) -> list[Row]:
    """Every event once."""
    return [
        {
            "event_type": e.event_type,
            "event_name": e.event_name,
            "metadata": _metadata(e),
            **_plain(counted, e),
        }
        for e in counted.events
    ]


def page_views(counted: Counted) -> list[Row]:
    """Events of that type."""
    return [_plain(counted, e) for e in counted.events if e.event_type == "page_view"]


def tracked_events(counted: Counted) -> list[Row]:
    """Events of type `track`."""
    return [
        {
            "event_name": e.event_name,
            "display_name": counted.name_of(e.app_token, "track", e.event_name),
            "metadata": _metadata(e),
            **_plain(counted, e),
        }
        for e in counted.events
        if e.event_type == "track"
    ]


def feature_events(counted: Counted) -> list[Row]:
    """Events of type `track_feature`, with the feature's name where one is known."""
    names = feature_names(counted)
    return [
        {
            "feature_id": e.event_name,
            "feature_name": names.get((e.app_token, e.event_name)),
            "metadata": _metadata(e),
            **_plain(counted, e),
        }
        for e in counted.events
        if e.event_type == "track_feature"
    ]


def feature_names(counted: Counted) -> dict[tuple[str | None, str | None], str]:
    """Names of features: a seed's before the latest definition's."""
    names: dict[tuple[str | None, str | None], str] = {}
    definitions = [s for s in counted.export.snapshots if s[0].kind == "feature_tags_definitions"]
    definitions.sort(key=lambda s: (str(s[0].folder_date or ""), s[0].path, s[1]))
    for file, _, record in definitions:
        app_token = text_of(record.get("app_token")) or file.app_token
        feature_id = _any_of(record, "id", "feature_id", "key")
        name = _any_of(record, "name", "display_name", "title")
        if feature_id and name:
            names[app_token, feature_id] = name
    for cells in counted.seeds.content:
        if cells["entity_type"] == "track_feature" and cells["name"]:
            names[cells["app_token"], cells["entity_id"]] = cells["name"]
    return names


def interactions(counted: Counted) -> list[Row]:
    """Interaction events with name and metadata taken apart."""
    return [
        {
            **_common(counted, item.event),
            "event_name": item.event.event_name,
            "metadata": _metadata(item.event),
            "entity_type": item.entity_type,
            "entity_id": item.entity_id,
            "interaction_status": item.status,
            "parent_type": item.parent_type,
            "parent_id": item.parent_id,
            **typed_attributes(item),
        }
        for item in counted.interactions
    ]


def users(counted: Counted) -> list[Row]:
    """Every user seen on any event."""
    scores = {
        (row["app_token"], row["user_id"]): row["score"]
        for row in sorted(
            (row for row in nps_responses(counted) if row["score"] is not None),
            key=lambda row: (row["responded_at"], row["submission_id"], row["nps_id"]),
        )
    }
    rows: list[Row] = []
    for (app_token, user_id), history in counted.by_user.items():
        traits = traits_of.latest(history, "identify_user", counted.settings.trait_merge)
        identified = (e.occurred_at for e in history if e.event_type == "identify_user")
        rows.append(
            {
                "app_token": app_token,
                "user_id": user_id,
                "first_seen_at": history[0].occurred_at,
                "last_seen_at": history[-1].occurred_at,
                "first_identified_at": first(identified),
                "event_count": len(history),
                "page_view_count": _count(history, "page_view"),
                "session_count": len({e.session for e in history if e.session is not None}),
                "active_day_count": len(
                    {counted.date_of(e.occurred_at) for e in history if e.is_activity}
                ),
                "company_id": last(e.company_id for e in history),
                "email": traits_of.word(traits, "email"),
                "name": traits_of.word(traits, "name"),
                "signed_up_at": traits_of.moment(traits, *traits_of.SIGN_UP_KEYS),
                "plan_type": traits_of.word(traits, "plan_type"),
                "traits": traits_of.as_json(traits),
                "latest_device_type": last(e.device_type for e in history),
                "latest_browser": last(e.browser for e in history),
                "latest_operating_system": last(e.operating_system for e in history),
                "latest_browser_language": last(e.browser_language for e in history),
                "latest_country_code": last(e.country_code for e in history),
                "latest_nps_score": scores.get((app_token, user_id)),
            }
        )
    return rows


def companies(counted: Counted) -> list[Row]:
    """Every company seen on any event."""
    members = grouped(
        (
            (user[0], last(e.company_id for e in history))
            for user, history in counted.by_user.items()
        ),
        lambda membership: membership,
    )
    rows: list[Row] = []
    for (app_token, company_id), history in counted.by_company.items():
        traits = traits_of.latest(history, "identify_company", counted.settings.trait_merge)
        rows.append(
            {
                "app_token": app_token,
                "company_id": company_id,
                "company_name": traits_of.word(traits, "company_name", "name"),
                "industry": traits_of.word(traits, "industry"),
                "plan": traits_of.word(traits, "plan"),
                "created_at": traits_of.moment(traits, "created_at"),
                "traits": traits_of.as_json(traits),
                "first_seen_at": history[0].occurred_at,
                "last_seen_at": history[-1].occurred_at,
                "event_count": len(history),
                "user_count": len(users_of(history)),
                "current_user_count": len(members.get((app_token, company_id), [])),
                "active_user_count_7d": len(users_of(_recent_activity(counted, history, 7))),
                "active_user_count_28d": len(users_of(_recent_activity(counted, history, 28))),
            }
        )
    return rows


def user_companies(counted: Counted) -> list[Row]:
    """Each stay of a user in a company."""
    rows: list[Row] = []
    for (app_token, user_id), history in counted.by_user.items():
        stays: list[Event] = []
        for event in history:
            if event.company_id is not None and (
                not stays or stays[-1].company_id != event.company_id
            ):
                stays.append(event)
        ends = [event.occurred_at for event in stays[1:]]
        for number, (event, end) in enumerate(zip(stays, [*ends, None], strict=False), start=1):
            rows.append(
                {
                    "app_token": app_token,
                    "user_id": user_id,
                    "company_id": event.company_id,
                    "stay_number": number,
                    "valid_from": event.occurred_at,
                    "valid_to": end,
                }
            )
    return rows


def sessions(counted: Counted) -> list[Row]:
    """Each session of a user, as Userpilot numbers them."""
    gap = timedelta(minutes=counted.settings.session_gap_minutes)
    with_session = (e for e in counted.events if e.user_id is not None and e.session is not None)
    groups = grouped(with_session, lambda e: (e.app_token, e.user_id, e.session))
    rows: list[Row] = []
    for (app_token, user_id, session), history in groups.items():
        moments = [e.occurred_at for e in history]
        later_visits = sum(b - a > gap for a, b in pairwise(moments))
        page_view_count = _count(history, "page_view")
        rows.append(
            {
                "app_token": app_token,
                "user_id": user_id,
                "session": session,
                "session_number": integer(session),
                "started_at": moments[0],
                "started_date": counted.date_of(moments[0]),
                "ended_at": moments[-1],
                "duration_seconds": seconds(moments[0], moments[-1]),
                "event_count": len(history),
                "page_view_count": page_view_count,
                "visit_count": 1 + later_visits,
                "entry_pathname": first(e.pathname for e in history),
                "exit_pathname": last(e.pathname for e in history),
                "device_type": last(e.device_type for e in history),
                "country_code": last(e.country_code for e in history),
                "is_bounce": page_view_count <= 1
                and not _count(history, "interaction", "track", "track_feature"),
                "engaged_entity_count": len(_engaged_entities(history)),
            }
        )
    return rows


def _plain(counted: Counted, event: Event) -> Row:
    return {**_common(counted, event), **{name: getattr(event, name) for name in VISIT}}


def _common(counted: Counted, event: Event) -> Row:
    return {
        **{name: getattr(event, name) for name in COMMON},
        "occurred_date": counted.date_of(event.occurred_at),
    }


def _metadata(event: Event) -> str | None:
    return to_json(event.metadata) if event.metadata else None


def _count(history: list[Event], *event_types: str) -> int:
    return sum(event.event_type in event_types for event in history)


def _recent_activity(counted: Counted, history: list[Event], days: int) -> list[Event]:
    today = counted.as_of_date
    if today is None:
        return []
    window = (today - timedelta(days=days), today)
    return [
        e
        for e in history
        if e.is_activity and window[0] < counted.date_of(e.occurred_at) <= window[1]
    ]


def _engaged_entities(history: list[Event]) -> set[tuple[str | None, str | None]]:
    items = (interaction(e) for e in history if e.event_type == "interaction")
    return {
        (item.entity_type, item.entity_id)
        for item in items
        if item.status in ("ENGAGED", "COMPLETED")
    }


def _any_of(record: dict[str, Json], *keys: str) -> str | None:
    return first(text_of(record.get(key)) for key in keys)
