"""Experiments: who saw what, and whether it made a difference."""

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Any

from . import formulas
from .base import Counted, Interaction, Row, first, grouped, ratio
from .reading import Event
from .seeds import Cells, cell_matches

Place = tuple[str, str | None]


def experiment_users(counted: Counted) -> list[Row]:
    """Each user exposed to a variant of an experiment."""
    declared = _declarations(counted)
    exposures = [item for item in _experiment_events(counted) if _exposes(item)]
    groups = grouped(exposures, lambda i: (i.event.app_token, i.entity_id, i.event.user_id or ""))
    rows: list[Row] = []
    for (app_token, experiment_id, user_id), items in groups.items():
        variants = [item.attributes["variant"] or "" for item in items]
        exposed_at = items[0].event.occurred_at
        completed_at = first(i.event.occurred_at for i in items if i.status == "COMPLETED")
        goal = _goal(declared.get((app_token, experiment_id), []))
        user = (app_token, user_id)
        rows.append(
            {
                "app_token": app_token,
                "experiment_id": experiment_id,
                "user_id": user_id,
                "first_variant": variants[0],
                "variants": "+".join(sorted(set(variants))),
                "is_contaminated": len(set(variants)) > 1,
                "exposed_at": exposed_at,
                "completed_at": completed_at,
                "converted_at": _goal_time(counted.by_user[user], goal, exposed_at)
                if goal
                else completed_at,
                "company_id": counted.company_as_of(user, exposed_at),
                "_variants": set(variants),
            }
        )
    return rows


def experiment_variants(counted: Counted) -> list[Row]:
    """Each variant of an experiment, compared with the reference."""
    declared = _declarations(counted)
    last_event = {
        place: items[-1].event.occurred_at
        for place, items in grouped(
            _experiment_events(counted), lambda i: (i.event.app_token, i.entity_id)
        ).items()
    }
    everybody: list[dict[str, Any]] = experiment_users(counted)
    by_experiment = grouped(everybody, lambda r: (r["app_token"], r["experiment_id"]))
    rows: list[Row] = []
    for place, users in by_experiment.items():
        first_exposure = min(user["exposed_at"] for user in users)
        duration = counted.date_of(last_event[place]) - counted.date_of(first_exposure)
        declaration = {cells["variant"]: cells for cells in declared.get(place, [])}
        name = counted.name_of(place[0], "experiment", place[1])
        compared = _compare(place, users, declaration, duration.days + 1)
        rows.extend({**row, "experiment_name": name} for row in compared)
    return rows


def _compare(
    place: Place, users: list[dict[str, Any]], declaration: dict[str, Cells], days_running: int
) -> list[Row]:
    seen = {variant for user in users for variant in user["_variants"]}
    variants = sorted(seen | set(declaration))
    is_control = {variant: _is_control(declaration.get(variant)) for variant in variants}
    reference = min(variants, key=lambda variant: (is_control[variant] is not True, variant))
    clean = {
        variant: [user for user in users if user["_variants"] == {variant}] for variant in variants
    }
    n = {variant: len(clean[variant]) for variant in variants}
    converted = {
        variant: sum(user["converted_at"] is not None for user in clean[variant])
        for variant in variants
    }
    z_scores = [
        formulas.pooled_z(converted[v], n[v], converted[reference], n[reference])
        if v != reference
        else None
        for v in variants
    ]
    p_values = [None if z is None else formulas.two_sided_p(z) for z in z_scores]
    srm = _srm(n, seen, declaration)
    rows: list[Row] = []
    for variant, z, p, holm_p in zip(
        variants, z_scores, p_values, formulas.holm(p_values), strict=True
    ):
        rate, base = (
            ratio(converted[variant], n[variant]),
            ratio(converted[reference], n[reference]),
        )
        interval = formulas.wilson(converted[variant], n[variant])
        distance = None
        if variant != reference:
            distance = formulas.newcombe(
                converted[variant], n[variant], converted[reference], n[reference]
            )
        rows.append(
            {
                "app_token": place[0],
                "experiment_id": place[1],
                "variant": variant,
                "is_control": is_control[variant],
                "is_reference": variant == reference,
                "exposed_users": sum(variant in user["_variants"] for user in users),
                "clean_users": n[variant],
                "converted_users": converted[variant],
                "conversion_rate": rate,
                "conversion_rate_low": interval and interval[0],
                "conversion_rate_high": interval and interval[1],
                "difference": None
                if distance is None or rate is None or base is None
                else rate - base,
                "difference_low": distance and distance[0],
                "difference_high": distance and distance[1],
                "z_score": z,
                "p_value": p,
                "holm_p_value": holm_p,
                "srm_p_value": srm,
                "has_srm": None if srm is None else srm < 0.001,
                "days_running": days_running,
            }
        )
    return rows


def _srm(n: dict[str, int], seen: set[str], declaration: dict[str, Cells]) -> float | None:
    variants = sorted(declaration or seen)
    texts = {variant: declaration.get(variant, {}).get("planned_share", "") for variant in variants}
    equal = not all(texts.values())
    shares = {variant: 1.0 if equal else float(texts[variant]) for variant in variants}
    planned = [variant for variant in variants if shares[variant] > 0]
    return formulas.split_p([n[v] for v in planned], [shares[v] for v in planned])


def _experiment_events(counted: Counted) -> list[Interaction]:
    return [item for item in counted.interactions if item.entity_type == "experiment"]


def _exposes(item: Interaction) -> bool:
    return item.event.user_id is not None and item.attributes["variant"] is not None


def _declarations(counted: Counted) -> dict[Place, list[Cells]]:
    groups = grouped(counted.seeds.experiments, lambda c: (c["app_token"], c["experiment_id"]))
    result: dict[Place, list[Cells]] = {}
    for place, rows in groups.items():
        result[place] = sorted(rows, key=lambda cells: cells["variant"])
    return result


def _goal(declaration: list[Cells]) -> Cells | None:
    return next((c for c in declaration if c["goal_event_type"] or c["goal_event_name"]), None)


def _goal_time(history: list[Event], goal: Cells, exposed_at: datetime) -> datetime | None:
    window = goal["goal_window_days"]
    until = exposed_at + timedelta(days=float(window)) if window else datetime.max
    start = bisect_left(history, exposed_at, key=lambda event: event.occurred_at)
    return first(
        event.occurred_at
        for event in history[start:]
        if event.occurred_at <= until
        and cell_matches(goal["goal_event_type"], event.event_type)
        and cell_matches(goal["goal_event_name"], event.event_name)
    )


def _is_control(cells: Cells | None) -> bool | None:
    if cells is None:
        return None
    return {"true": True, "1": True, "false": False, "0": False}.get(cells["is_control"].lower())
