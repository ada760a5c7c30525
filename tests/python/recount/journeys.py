"""What users do around an anchor event, and after they have seen a flow."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from .activity import user_days
from .base import Counted, Interaction, Row, grouped, ratio
from .core import feature_names
from .formulas import newcombe
from .seeds import Cells, cell_matches

LONGEST = 10

User = tuple[str, str]
Days = dict[date, int]
Names = dict[tuple[str | None, str | None], str]


def paths(counted: Counted) -> list[Row]:
    """Each event that somebody did up to ten steps after or before an anchor."""
    names = feature_names(counted)
    anchors = grouped(counted.seeds.path_anchors, lambda cells: cells["anchor"])
    users: dict[tuple[str, str, str, int, str], set[str]] = {}
    anchor_users: dict[tuple[str, str], set[str]] = {}
    for (app_token, user_id), items in _sessions(counted):
        labels = [_label(item, names) for item in items]
        for anchor, rows in anchors.items():
            place = next(
                (n for n, item in enumerate(items) if any(_fits(c, item) for c in rows)), None
            )
            if place is None:
                continue
            anchor_users.setdefault((app_token, anchor), set()).add(user_id)
            ways = {"after": labels[place + 1 :], "before": labels[:place][::-1]}
            for direction, way in ways.items():
                for step, label in enumerate(way[:LONGEST], start=1):
                    key = (app_token, anchor, direction, step, label)
                    users.setdefault(key, set()).add(user_id)
    return [
        {
            "app_token": app_token,
            "anchor": anchor,
            "direction": direction,
            "step": step,
            "event": label,
            "user_count": len(people),
            "anchor_user_count": len(anchor_users[app_token, anchor]),
            "share": ratio(len(people), len(anchor_users[app_token, anchor])),
        }
        for (app_token, anchor, direction, step, label), people in users.items()
    ]


def flow_effectiveness(counted: Counted) -> list[Row]:
    """Each flow: what its viewers did afterwards, and those active meanwhile who never saw it."""
    active = _events_by_day(counted)
    rows: list[Row] = []
    for (app_token, flow_id), items in _flows(counted).items():
        seen = _dates_seen(counted, items)
        run = [day for dates in seen.values() for day in dates]
        viewers = {user: min(dates) for user, dates in seen.items()}
        others: dict[User, date] = {}
        for user, days in active.items():
            within = [day for day in days if run and min(run) <= day <= max(run)]
            if user[0] == app_token and user not in seen and within:
                others[user] = min(within)
        shown, not_shown = (_outcomes(counted, side, active) for side in (viewers, others))
        sides = (shown["returned"], shown["users"], not_shown["returned"], not_shown["users"])
        rates = (ratio(*sides[:2]), ratio(*sides[2:]))
        low, high = newcombe(*sides) or (None, None)
        rows.append(
            {
                "app_token": app_token,
                "flow_id": flow_id,
                "flow_name": counted.name_of(app_token, "experience", flow_id),
                "window_days": counted.settings.effectiveness_days,
                "viewer_users": shown["users"],
                "comparison_users": not_shown["users"],
                "viewer_returned_users": shown["returned"],
                "comparison_returned_users": not_shown["returned"],
                "viewer_return_rate": rates[0],
                "comparison_return_rate": rates[1],
                "difference": None if None in rates else rates[0] - rates[1],  # type: ignore[operator]
                "difference_low": low,
                "difference_high": high,
                "viewer_events_per_user": ratio(shown["events"], shown["users"]),
                "comparison_events_per_user": ratio(not_shown["events"], not_shown["users"]),
            }
        )
    return rows


def _sessions(counted: Counted) -> Iterator[tuple[User, list[Interaction]]]:
    """The events of each session that belong to a path, in order."""
    for user, items in counted.items_by_user.items():
        for session, own in grouped(items, lambda item: item.event.session).items():
            if session is not None:
                yield user, [item for item in own if _is_on_a_path(item)]


def _is_on_a_path(item: Interaction) -> bool:
    identify = ("identify_user", "identify_company")
    return item.event.is_activity and item.event.event_type not in identify


def _label(item: Interaction, names: Names) -> str:
    event = item.event
    kind, name = event.event_type, event.event_name
    if kind == "page_view":
        return f"Viewed {event.pathname or event.hostname or '(unknown page)'}"
    if kind == "session_start":
        return "Session start"
    if name is None or kind in ("track", "interaction"):
        return name or kind
    if kind == "track_feature":
        return f"Used {names.get((event.app_token, name)) or name}"
    return f"{kind}: {name}"


def _fits(cells: Cells, item: Interaction) -> bool:
    return (
        cell_matches(cells["event_type"], item.event.event_type)
        and cell_matches(cells["event_name"], item.event.event_name)
        and cell_matches(cells["entity_type"], item.entity_type)
        and cell_matches(cells["entity_id"], item.entity_id)
        and cell_matches(cells["interaction_status"], item.status)
    )


def _events_by_day(counted: Counted) -> dict[User, Days]:
    """How many tracked events and uses of features each user has, by date of activity."""
    users: dict[User, Days] = {}
    rows: list[dict[str, Any]] = user_days(counted)
    for row in rows:
        days = users.setdefault((row["app_token"], row["user_id"]), {})
        days[row["activity_date"]] = row["tracked_event_count"] + row["feature_event_count"]
    return users


def _flows(counted: Counted) -> dict[tuple[str, str], list[Interaction]]:
    """The events of each flow and of its steps."""
    parents = {
        (cells["app_token"], cells["entity_id"]): cells["parent_id"]
        for cells in counted.seeds.content
        if cells["entity_type"] == "experience_step"
    }
    flows: dict[tuple[str, str], list[Interaction]] = {}
    for item in counted.interactions:
        app_token, flow_id = item.event.app_token, None
        if item.entity_type == "experience":
            flow_id = item.entity_id
        elif item.entity_type == "experience_step":
            flow_id = item.parent_id or parents.get((app_token, item.entity_id or ""))
        if flow_id:
            flows.setdefault((app_token, flow_id), []).append(item)
    return flows


def _dates_seen(counted: Counted, items: list[Interaction]) -> dict[User, list[date]]:
    """The dates of each user's events, none later than `as_of_date`."""
    seen: dict[User, list[date]] = {}
    for item in items:
        day = counted.date_of(item.event.occurred_at)
        is_past = counted.as_of_date is not None and day <= counted.as_of_date
        if item.event.user_id is not None and is_past:
            seen.setdefault((item.event.app_token, item.event.user_id), []).append(day)
    return seen


def _outcomes(
    counted: Counted, starts: dict[User, date], active: dict[User, Days]
) -> dict[str, int]:
    """Users whose whole window has passed, how many came back in it, and their events there."""
    window = timedelta(days=counted.settings.effectiveness_days)
    total = {"users": 0, "returned": 0, "events": 0}
    for user, start in starts.items():
        if counted.as_of_date is None or counted.as_of_date - start < window:
            continue
        events = [
            n for day, n in active.get(user, {}).items() if timedelta() < day - start <= window
        ]
        total["users"] += 1
        total["returned"] += bool(events)
        total["events"] += sum(events)
    return total
