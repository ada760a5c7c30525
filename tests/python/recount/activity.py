"""Activity by day: people, companies, features, pages, and who comes back."""

from datetime import date, timedelta

from .base import Counted, Row, grouped, ratio, users_of
from .core import feature_names
from .reading import Event

DAY_COUNTS = {
    "page_view_count": "page_view",
    "tracked_event_count": "track",
    "feature_event_count": "track_feature",
    "interaction_count": "interaction",
    "session_start_count": "session_start",
}


def user_days(counted: Counted) -> list[Row]:
    """Each date on which a user was active."""
    return [
        {"app_token": app_token, "user_id": user_id, **_day_columns(day, events)}
        for (app_token, user_id), history in counted.by_user.items()
        for day, events in _active_days(counted, history)
    ]


def company_days(counted: Counted) -> list[Row]:
    """Each date with activity that carries the company."""
    return [
        {
            "app_token": app_token,
            "company_id": company_id,
            **_day_columns(day, events),
            "active_user_count": len(users_of(e for e in events if e.is_activity)),
        }
        for (app_token, company_id), history in counted.by_company.items()
        for day, events in _active_days(counted, history)
    ]


def daily_activity(counted: Counted) -> list[Row]:
    """Each date of an app from its first activity to `as_of_date`."""
    rows: list[Row] = []
    today = counted.as_of_date
    for app_token, days in _days_by_app(counted).items():
        day = min(d for dates in days.values() for d in dates)
        while today is not None and day <= today:
            row = _activity_of(day, days)
            seen = sum(min(dates) <= day for dates in days.values())
            users = sum(app == app_token for app, _ in counted.by_user)
            rows.append({"app_token": app_token, **row, "not_yet_seen_users": users - seen})
            day += timedelta(days=1)
    return rows


def retention(counted: Counted) -> list[Row]:
    """Each cohort and how many of it were active N days or weeks later."""
    rows: list[Row] = []
    for app_token, every_day in _days_by_app(counted).items():
        past = {
            user: {day for day in dates if counted.as_of_date and day <= counted.as_of_date}
            for user, dates in every_day.items()
        }
        days = {user: dates for user, dates in past.items() if dates}
        rows.extend(_retention_by(counted, app_token, days, "day", 90))
        weeks = {user: {_monday(day) for day in dates} for user, dates in days.items()}
        rows.extend(_retention_by(counted, app_token, weeks, "week", 12))
    return rows


def features(counted: Counted) -> list[Row]:
    """Each feature tag that was used."""
    names = feature_names(counted)
    ever_active = {app_token: len(days) for app_token, days in _days_by_app(counted).items()}
    used = (e for e in counted.events if e.event_type == "track_feature" and e.event_name)
    rows: list[Row] = []
    for (app_token, feature_id), events in grouped(
        used, lambda e: (e.app_token, e.event_name)
    ).items():
        columns = _use_columns(counted, events, "used")
        rows.append(
            {
                "app_token": app_token,
                "feature_id": feature_id,
                "feature_name": names.get((app_token, feature_id)),
                **columns,
                "adoption_rate": ratio(len(users_of(events)), ever_active.get(app_token, 0)),
            }
        )
    return rows


def pages(counted: Counted) -> list[Row]:
    """Each page that was viewed."""
    views = (
        e for e in counted.events if e.event_type == "page_view" and (e.hostname or e.pathname)
    )
    groups = grouped(views, lambda e: (e.app_token, e.hostname, e.pathname))
    return [
        {
            "app_token": app_token,
            "hostname": hostname,
            "pathname": pathname,
            **_use_columns(counted, events, "viewed"),
        }
        for (app_token, hostname, pathname), events in groups.items()
    ]


def _active_days(counted: Counted, history: list[Event]) -> list[tuple[date, list[Event]]]:
    days = grouped(history, lambda e: counted.date_of(e.occurred_at))
    return [(day, events) for day, events in days.items() if any(e.is_activity for e in events)]


def _day_columns(day: date, events: list[Event]) -> Row:
    counts = {
        column: sum(e.event_type == event_type for e in events)
        for column, event_type in DAY_COUNTS.items()
    }
    return {"activity_date": day, "event_count": len(events), **counts}


def _days_by_app(counted: Counted) -> dict[str, dict[str, set[date]]]:
    apps: dict[str, dict[str, set[date]]] = {}
    for (app_token, user_id), history in counted.by_user.items():
        days = {counted.date_of(e.occurred_at) for e in history if e.is_activity}
        if days:
            apps.setdefault(app_token, {})[user_id] = days
    return apps


def _activity_of(day: date, days: dict[str, set[date]]) -> Row:
    def active_within(length: int) -> int:
        window = {day - timedelta(days=back) for back in range(length)}
        return sum(not dates.isdisjoint(window) for dates in days.values())

    yesterday = day - timedelta(days=1)
    active = [dates for dates in days.values() if day in dates]
    new = sum(min(dates) == day for dates in active)
    retained = sum(yesterday in dates for dates in active)
    mau = active_within(28)
    return {
        "activity_date": day,
        "dau": len(active),
        "wau": active_within(7),
        "mau": mau,
        "stickiness": ratio(len(active), mau),
        "new_users": new,
        "retained_users": retained,
        "resurrected_users": len(active) - new - retained,
        "dormant_users": sum(min(dates) < day and day not in dates for dates in days.values()),
    }


def _retention_by(
    counted: Counted, app_token: str, active: dict[str, set[date]], period: str, longest: int
) -> list[Row]:
    rows: list[Row] = []
    length = timedelta(days=7 if period == "week" else 1)
    for start, cohort in grouped(active.values(), min).items():
        for n in range(longest + 1):
            moment = start + n * length
            if counted.as_of_date is None or moment > counted.as_of_date:
                break
            retained = sum(moment in dates for dates in cohort)
            rows.append(
                {
                    "app_token": app_token,
                    "period": period,
                    "cohort_date": start,
                    "period_n": n,
                    "day_n": n if period == "day" else None,
                    "cohort_users": len(cohort),
                    "eligible_users": len(cohort),
                    "retained_users": retained,
                    "rate": retained / len(cohort),
                }
            )
    return rows


def _use_columns(counted: Counted, events: list[Event], verb: str) -> Row:
    today = counted.as_of_date
    recent = [
        e
        for e in events
        if today and timedelta() <= today - counted.date_of(e.occurred_at) < timedelta(days=28)
    ]
    return {
        "event_count": len(events),
        "user_count": len(users_of(events)),
        f"first_{verb}_at": events[0].occurred_at,
        f"last_{verb}_at": events[-1].occurred_at,
        "event_count_28d": len(recent),
        "user_count_28d": len(users_of(recent)),
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
