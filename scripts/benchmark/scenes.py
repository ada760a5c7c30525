"""What happens in the benchmark's export: who does what, how often, with which attributes.

Names and ids are those of the sample export, so that the project's seeds (funnels, experiments,
content) fit. A `$word` in a name or in metadata is filled in for each event by export.sql.
"""

import json
from dataclasses import dataclass
from typing import Any

from scripts.sample import catalog

WEB = "web-client"


@dataclass(frozen=True)
class Scene:
    """An event that happens by chance: `weight` of all weights."""

    weight: int
    event_type: str
    event_name: str = ""
    metadata: str = "{}"
    source: str = WEB


@dataclass(frozen=True)
class Cue:
    """An event with its place: the `position`-th of a user's session, for `chance` % of users."""

    session: int
    position: int
    chance: int
    event_type: str
    event_name: str
    metadata: str = "{}"


def _json(**members: Any) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def _interaction(entity: str, number: str, status: str, **members: Any) -> tuple[str, str]:
    """Name and metadata of an interaction, with the attributes of the schema page."""
    own = {"interaction_id": f"{entity}_{number}", "is_dismissed": "0", "status": status}
    return f"{entity}:{number}:{status}", _json(**own | members)


def _flow(number: str, status: str, **members: Any) -> tuple[str, str]:
    return _interaction("experience", number, status, total_dismissed="0", **members)


def _experiment(number: str, status: str, arm: str) -> tuple[str, str]:
    return _interaction(
        "experiment", number, status, never_show_again="0", total_dismissed="0", variant=arm
    )


def _nps(number: str, status: str, feedback: str) -> tuple[str, str]:
    return _interaction(
        "nps",
        number,
        status,
        score="$score",
        feedback=feedback,
        submission_id="$date",
        survey_question=catalog.NPS_QUESTION,
        follow_up_question=catalog.NPS_FOLLOW_UP,
    )


_TRAITS = _json(
    email="$user@example.com",
    name="$name",
    plan_type="$plan",
    role="$role",
    signed_up_at="$signup",
    total_logins="$count",
    newsletter=True,
).replace('"$count"', "$count")
_COMPANY_TRAITS = _json(company_name="$company_name", industry="$industry", plan="$plan", seats=25)
_TRACKED = _json(report_id="r-$count", template="blank", duration_ms=1250, team="growth")
_ARTICLE_ID, (_ARTICLE, _, _ARTICLE_URL) = next(iter(catalog.ARTICLES.items()))
_STEP = {"total_dismissed": "0", "parent_id": f"experience_{catalog.TOUR}"}

SCENES = (
    Scene(430, "page_view"),
    *(
        Scene(weight, "track_feature", feature)
        for feature, weight in zip(catalog.DAILY_FEATURES, (55, 45, 25, 15, 12, 13, 5), strict=True)
    ),
    Scene(10, "track_feature", catalog.BULK_EXPORT),
    Scene(70, "track", "Report: Created", _TRACKED),
    Scene(35, "track", "Report: Shared: Link", _TRACKED),
    Scene(30, "track", "Search", _json(query="revenue by month", results=17)),
    Scene(12, "track", "Export: CSV: Done", _json(rows=5120, ms=840)),
    Scene(8, "track", catalog.CONNECTED, _json(connector="postgres")),
    Scene(6, "track", "Billing: Page Opened"),
    Scene(3, "track", "Checkout: Started", _json(plan="pro", seats=5)),
    Scene(2, "track", "Plan: Upgraded", _json(plan="pro", amount=49.5, currency="EUR")),
    Scene(8, "track", "Invoice: Paid", _json(amount=49.5, currency="EUR"), "backend-http"),
    Scene(12, "identify_user", "", _TRAITS, "backend-segment"),
    Scene(8, "identify_company", "", _COMPANY_TRAITS, "backend-hubspot"),
    Scene(4, "identify_company", "", _COMPANY_TRAITS, "backend-salesforce"),
    Scene(30, "interaction", *_interaction("checklist", "10", "SEEN", parent_id="")),
    Scene(14, "interaction", *_interaction("checklist", "10", "ENGAGED", parent_id="")),
    Scene(4, "interaction", *_interaction("checklist", "10", "COMPLETED", parent_id="")),
    *(
        Scene(
            8,
            "interaction",
            *_interaction("checklist_task", task, "COMPLETED", parent_id="checklist_10"),
        )
        for task in catalog.TASKS
    ),
    *(
        Scene(
            8,
            "interaction",
            *_interaction(
                "survey_module",
                catalog.CHOICE,
                "COMPLETED",
                parent_id=f"survey_{catalog.SURVEY}",
                feedback=option,
                survey_question=catalog.CHOICE_QUESTION,
                variant="multiple_choice",
            ),
        )
        for option in catalog.OPTIONS
    ),
    Scene(
        8,
        "interaction",
        *_interaction(
            "survey_module",
            catalog.OPEN,
            "DISMISSED",
            is_dismissed="1",
            parent_id=f"survey_{catalog.SURVEY}",
            feedback="",
            survey_question=catalog.OPEN_QUESTION,
            variant="open_text",
        ),
    ),
    Scene(
        22,
        "interaction",
        *_interaction(
            "resource_center", "1", "ENGAGED", article_title="", article_url="", parent_id=""
        ),
    ),
    Scene(
        18,
        "interaction",
        *_interaction(
            "resource_center_article",
            _ARTICLE_ID,
            "ENGAGED",
            article_title=_ARTICLE,
            article_url=_ARTICLE_URL,
            parent_id="resource_center_1",
        ),
    ),
    Scene(
        10,
        "interaction",
        *_interaction("experience", "510", "DISMISSED", is_dismissed="1", total_dismissed="1"),
    ),
)

CUES = (
    # the first visit: sign-up and the tour
    Cue(1, 0, 100, "identify_user", "", _TRAITS),
    Cue(1, 1, 100, "track", catalog.SIGNED_UP, _json(method="password", invited=False)),
    Cue(
        1,
        2,
        90,
        "interaction",
        *_flow(catalog.TOUR, "SEEN"),
    ),
    *(
        Cue(
            1,
            3 + number,
            chance,
            "interaction",
            *_interaction("experience_step", step, "COMPLETED", **_STEP),
        )
        for number, (step, chance) in enumerate((("998", 85), ("999", 70), ("1000", 45)))
    ),
    Cue(
        1,
        6,
        40,
        "interaction",
        *_flow(catalog.TOUR, "COMPLETED"),
    ),
    # experiments, each with the event of its flow
    Cue(2, 2, 100, "interaction", *_experiment("9", "SEEN", "$two")),
    Cue(
        2,
        3,
        100,
        "interaction",
        *_flow("50$flow", "SEEN"),
    ),
    Cue(2, 4, 45, "interaction", *_experiment("9", "COMPLETED", "$two")),
    Cue(2, 5, 20, "track", catalog.CONNECTED, _json(connector="bigquery")),
    Cue(3, 2, 100, "interaction", *_experiment("12", "SEEN", "$three")),
    Cue(4, 2, 100, "interaction", *_experiment("15", "SEEN", "$two")),
    Cue(4, 3, 40, "interaction", *_experiment("15", "COMPLETED", "$two")),
    Cue(5, 2, 3, "interaction", *_experiment("9", "SEEN", "A")),  # half of them saw B before
    # NPS: two surveys
    Cue(3, 4, 60, "interaction", *_nps("1", "SUBMITTED_SCORE", "")),
    Cue(3, 5, 30, "interaction", *_nps("1", "SUBMITTED_FEEDBACK", catalog.FEEDBACKS[0])),
    Cue(6, 4, 60, "interaction", *_nps("2", "SUBMITTED_SCORE", "")),
    Cue(6, 5, 30, "interaction", *_nps("2", "SUBMITTED_FEEDBACK", catalog.FEEDBACKS[4])),
)
