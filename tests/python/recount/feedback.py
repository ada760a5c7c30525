"""NPS: responses and scores."""

import math
from collections.abc import Callable
from typing import Any

from .base import Counted, Interaction, Row, grouped, last, ratio
from .values import integer

SUBMISSIONS = ("SUBMITTED_SCORE", "SUBMITTED_FEEDBACK")


def nps_responses(counted: Counted) -> list[Row]:
    """Each submission of a user once, however many events it took."""
    submitted = [
        item
        for item in counted.interactions
        if item.entity_type == "nps"
        and item.status in SUBMISSIONS
        and item.event.user_id is not None
    ]
    groups = grouped(
        submitted,
        lambda item: (
            item.event.app_token,
            item.entity_id,
            item.event.user_id or "",
            item.attributes["submission_id"] or str(counted.date_of(item.event.occurred_at)),
        ),
    )
    rows: list[Row] = []
    for (app_token, nps_id, user_id, submission_id), items in groups.items():
        scored = [item for item in items if _score(item) is not None]
        counts = (scored or items)[-1]
        score = _score(counts)
        responded_at = counts.event.occurred_at
        rows.append(
            {
                "app_token": app_token,
                "nps_id": nps_id,
                "nps_name": counted.name_of(app_token, "nps", nps_id),
                "user_id": user_id,
                "submission_id": submission_id,
                "score": score,
                "category": category(score),
                "feedback": last(item.attributes["feedback"] for item in items),
                "follow_up_question": last(item.attributes["follow_up_question"] for item in items),
                "responded_at": responded_at,
                "responded_date": counted.date_of(responded_at),
                "invalid_score_count": sum(_is_invalid(item) for item in items),
                "company_id": counted.company_as_of((app_token, user_id), responded_at),
            }
        )
    return rows


def category(score: int | None) -> str | None:
    """What a score makes of a user."""
    if score is None:
        return None
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


def nps_scores(counted: Counted) -> list[Row]:
    """The NPS of each survey, overall and by month, by response and by user."""
    rows: list[Row] = []
    for period_of in (lambda _: "all", lambda moment: f"{counted.date_of(moment):%Y-%m}"):
        rows.extend(_scores_by(counted, period_of))
    return rows


def _scores_by(counted: Counted, period_of: Callable[[Any], str]) -> list[Row]:
    shown: dict[tuple[object, ...], set[str]] = {}
    for item in counted.interactions:
        if item.entity_type == "nps" and item.event.user_id is not None:
            period = period_of(item.event.occurred_at)
            place = (item.event.app_token, item.entity_id, period)
            shown.setdefault(place, set()).add(item.event.user_id)
    scored: list[dict[str, Any]] = [r for r in nps_responses(counted) if r["score"] is not None]
    scored.sort(key=lambda r: (r["responded_at"], r["submission_id"]))
    groups = grouped(scored, lambda r: (r["app_token"], r["nps_id"], period_of(r["responded_at"])))
    rows: list[Row] = []
    for place, responses in groups.items():
        latest = list({response["user_id"]: response for response in responses}.values())
        for basis, counting in (("all_responses", responses), ("latest_per_user", latest)):
            rows.append(
                {
                    **dict(zip(("app_token", "nps_id", "period"), place, strict=True)),
                    "nps_name": counted.name_of(place[0], "nps", place[1]),
                    "basis": basis,
                    **_score_columns([response["score"] for response in counting]),
                    "shown_users": len(shown[place]),
                    "response_rate": ratio(len(latest), len(shown[place])),
                }
            )
    return rows


def _score_columns(scores: list[int]) -> Row:
    n = len(scores)
    promoters, passives, detractors = (
        sum(category(score) == name for score in scores)
        for name in ("promoter", "passive", "detractor")
    )
    p, d = promoters / n, detractors / n
    return {
        "responses": n,
        "promoters": promoters,
        "passives": passives,
        "detractors": detractors,
        "nps": 100 * (promoters - detractors) / n,
        "margin_of_error_95": 100 * 1.959964 * math.sqrt(max(0.0, p + d - (p - d) ** 2) / n),
        "average_score": sum(scores) / n,
    }


def _score(item: Interaction) -> int | None:
    score = integer(item.attributes["score"])
    return score if score is not None and 0 <= score <= 10 else None


def _is_invalid(item: Interaction) -> bool:
    given = (item.event.metadata or {}).get("score")
    return given not in (None, "") and _score(item) is None
