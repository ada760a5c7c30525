"""Flows, checklists, surveys and resource centers."""

from collections.abc import Callable, Iterable
from typing import Any

from .base import Counted, Interaction, Row, first, grouped, last, ratio, seconds
from .formulas import quantile
from .seeds import Cells
from .values import integer

Place = tuple[str, str | None]
Entity = tuple[str, str, str | None]


def flows(counted: Counted) -> list[Row]:
    """Each flow with any event of its own or of a step."""
    names = _seed(counted)
    everybody: list[dict[str, Any]] = flow_users(counted)
    by_flow = grouped(everybody, lambda row: (row["app_token"], row["flow_id"]))
    rows: list[Row] = []
    for (app_token, flow_id), (own, parts) in _wholes(
        counted, "experience", "experience_step"
    ).items():
        seen, completed = _users(own, "SEEN"), _users(own, "COMPLETED")
        people = by_flow.get((app_token, flow_id), [])
        durations = [p["seconds_to_complete"] for p in people if p["completed_at"]]
        rows.append(
            {
                "app_token": app_token,
                "flow_id": flow_id,
                "flow_name": _name(names, (app_token, "experience", flow_id)),
                "shown_users": len(_users([*own, *parts])),
                "seen_users": len(seen),
                "completed_users": len(completed),
                "dismissed_users": len(_users(own, "DISMISSED")),
                "completion_rate": ratio(len(seen & completed), len(seen)),
                "median_seconds_to_complete": quantile(durations, 0.5),
            }
        )
    return rows


def flow_steps(counted: Counted) -> list[Row]:
    """Each step of a flow that has an event."""
    rows: list[Row] = []
    for (app_token, flow_id), steps in _parts(counted, "experience_step").items():
        before: int | None = None
        for number, step_id, name, items in steps:
            seen = len(_users(items, "SEEN"))
            rows.append(
                {
                    "app_token": app_token,
                    "flow_id": flow_id,
                    "step_id": step_id,
                    "step_name": name,
                    "step_number": number,
                    "seen_users": seen,
                    "completed_users": len(_users(items, "COMPLETED")),
                    "dropped_users": None if None in (before, flow_id) else before - seen,
                }
            )
            before = seen
    return rows


def flow_users(counted: Counted) -> list[Row]:
    """Each user with any event of a flow or of a step of it."""
    rows: list[Row] = []
    for (app_token, flow_id), (own, parts) in _wholes(
        counted, "experience", "experience_step"
    ).items():
        for user_id in _users([*own, *parts]):
            items = [item for item in own if item.event.user_id == user_id]
            shown_at = first(item.event.occurred_at for item in items)
            completed_at = _first_at(items, "COMPLETED")
            totals = [integer(item.attributes["total_dismissed"]) for item in items]
            rows.append(
                {
                    "app_token": app_token,
                    "flow_id": flow_id,
                    "user_id": user_id,
                    "first_shown_at": shown_at,
                    "completed_at": completed_at,
                    "dismissed_at": _first_at(items, "DISMISSED"),
                    "total_dismissed": max((t for t in totals if t is not None), default=None),
                    "seconds_to_complete": seconds(shown_at, completed_at)
                    if shown_at and completed_at
                    else None,
                }
            )
    return rows


def checklists(counted: Counted) -> list[Row]:
    """Each checklist with any event of its own or of a task."""
    names = _seed(counted)
    everybody: list[dict[str, Any]] = checklist_users(counted)
    by_checklist = grouped(everybody, lambda row: (row["app_token"], row["checklist_id"]))
    rows: list[Row] = []
    for (app_token, checklist_id), (own, _) in _wholes(
        counted, "checklist", "checklist_task"
    ).items():
        people = by_checklist.get((app_token, checklist_id), [])
        rows.append(
            {
                "app_token": app_token,
                "checklist_id": checklist_id,
                "checklist_name": _name(names, (app_token, "checklist", checklist_id)),
                **_user_counts(own, "SEEN", "ENGAGED", "COMPLETED", "DISMISSED"),
                "tasks_completed": sum(person["tasks_completed"] for person in people),
                "all_tasks_completed_users": sum(
                    person["has_completed_all_tasks"] for person in people
                ),
            }
        )
    return rows


def checklist_tasks(counted: Counted) -> list[Row]:
    """Each task of a checklist that has an event."""
    return [
        {
            "app_token": app_token,
            "checklist_id": checklist_id,
            "task_id": task_id,
            "task_name": name,
            "task_number": number,
            **_user_counts(items, "SEEN", "ENGAGED", "COMPLETED", "DISMISSED"),
        }
        for (app_token, checklist_id), tasks in _parts(counted, "checklist_task").items()
        for number, task_id, name, items in tasks
    ]


def checklist_users(counted: Counted) -> list[Row]:
    """Each user with any event of a checklist or of its tasks."""
    declared = grouped(
        (c for c in counted.seeds.content if c["entity_type"] == "checklist_task"),
        lambda cells: (cells["app_token"], cells["parent_id"]),
    )
    rows: list[Row] = []
    for (app_token, checklist_id), (own, parts) in _wholes(
        counted, "checklist", "checklist_task"
    ).items():
        tasks = {item.entity_id for item in parts}
        tasks |= {cells["entity_id"] for cells in declared.get((app_token, checklist_id or ""), [])}
        for user_id in _users([*own, *parts]):
            items = [item for item in own if item.event.user_id == user_id]
            completed = {
                item.entity_id
                for item in parts
                if item.event.user_id == user_id and item.status == "COMPLETED"
            }
            rows.append(
                {
                    "app_token": app_token,
                    "checklist_id": checklist_id,
                    "user_id": user_id,
                    "seen_at": _first_at(items, "SEEN"),
                    "engaged_at": _first_at(items, "ENGAGED"),
                    "completed_at": _first_at(items, "COMPLETED"),
                    "dismissed_at": _first_at(items, "DISMISSED"),
                    "tasks_completed": len(completed),
                    "has_completed_all_tasks": bool(tasks) and tasks == completed,
                }
            )
    return rows


def surveys(counted: Counted) -> list[Row]:
    """Each survey with an event of a module."""
    names = _seed(counted)
    groups = grouped(_of_type(counted, "survey_module"), _parent_of(counted, "survey_module"))
    rows: list[Row] = []
    for (app_token, survey_id), items in groups.items():
        if survey_id is not None:
            counts = _user_counts(items, "SEEN", "COMPLETED", "DISMISSED")
            rows.append(
                {
                    "app_token": app_token,
                    "survey_id": survey_id,
                    "survey_name": _name(names, (app_token, "survey", survey_id)),
                    **counts,
                    "response_rate": ratio(counts["completed_users"], counts["seen_users"]),
                }
            )
    return rows


def survey_questions(counted: Counted) -> list[Row]:
    """Each module of a survey that has an event."""
    seed = _seed(counted)
    rows: list[Row] = []
    for (app_token, survey_id), modules in _parts(counted, "survey_module").items():
        for number, module_id, name, items in modules:
            cells = seed.get((app_token, "survey_module", module_id), {})
            counts = _user_counts(items, "SEEN", "COMPLETED", "DISMISSED")
            rows.append(
                {
                    "app_token": app_token,
                    "survey_id": survey_id,
                    "module_id": module_id,
                    "question": name or last(i.attributes["survey_question"] for i in items),
                    "question_type": cells.get("question_type")
                    or last(i.attributes["variant"] for i in items),
                    "question_number": number,
                    **counts,
                    "response_count": sum(item.status == "COMPLETED" for item in items),
                    "response_rate": ratio(counts["completed_users"], counts["seen_users"]),
                }
            )
    return rows


def survey_responses(counted: Counted) -> list[Row]:
    """Each `COMPLETED` event of a survey module."""
    names = _seed(counted)
    parent_of = _parent_of(counted, "survey_module")
    answers = [i for i in _of_type(counted, "survey_module") if i.status == "COMPLETED"]
    latest = {(*item.entity, item.event.user_id): item for item in answers}
    return [
        {
            "app_token": item.event.app_token,
            "survey_id": parent_of(item)[1],
            "module_id": item.entity_id,
            "user_id": item.event.user_id,
            "answered_at": item.event.occurred_at,
            "answer": item.attributes["feedback"],
            "answer_name": _option_name(names, item),
            "is_latest": item.event.user_id is not None
            and latest[(*item.entity, item.event.user_id)] is item,
        }
        for item in answers
    ]


def resource_centers(counted: Counted) -> list[Row]:
    """Each resource center with any event of its own or of an article."""
    return [
        {
            "app_token": app_token,
            "resource_center_id": center_id,
            "resource_center_name": counted.name_of(app_token, "resource_center", center_id),
            **_user_counts(own, "SEEN", "ENGAGED"),
            "engaged_event_count": sum(item.status == "ENGAGED" for item in own),
        }
        for (app_token, center_id), (own, _) in _wholes(
            counted, "resource_center", "resource_center_article"
        ).items()
    ]


def resource_center_articles(counted: Counted) -> list[Row]:
    """Each article of a resource center that has an event."""
    return [
        {
            "app_token": app_token,
            "resource_center_id": center_id,
            "article_id": article_id,
            "article_title": last(item.attributes["article_title"] for item in items),
            "article_url": last(item.attributes["article_url"] for item in items),
            **_user_counts(items, "ENGAGED"),
            "engaged_event_count": sum(item.status == "ENGAGED" for item in items),
        }
        for (app_token, center_id), articles in _parts(counted, "resource_center_article").items()
        for _, article_id, _, items in articles
    ]


def _wholes(
    counted: Counted, whole: str, part: str
) -> dict[Place, tuple[list[Interaction], list[Interaction]]]:
    """Events of each whole itself, and those of its parts."""
    own = grouped(_of_type(counted, whole), lambda item: (item.event.app_token, item.entity_id))
    parts = grouped(_of_type(counted, part), _parent_of(counted, part))
    places = [place for place in {**own, **parts} if place[1] is not None]
    return {place: (own.get(place, []), parts.get(place, [])) for place in places}


def _parts(
    counted: Counted, part: str
) -> dict[Place, list[tuple[int, str | None, str | None, list[Interaction]]]]:
    """For each whole its parts in order: number, id, name and events."""
    seed = _seed(counted)
    result = {}
    for place, items in grouped(_of_type(counted, part), _parent_of(counted, part)).items():
        by_id = grouped(items, lambda item: item.entity_id)
        numbered = []
        for natural, part_id in enumerate(sorted(by_id, key=_natural), start=1):
            cells = seed.get((place[0], part, part_id), {})
            number = integer(cells.get("position")) or natural
            numbered.append((number, part_id, cells.get("name") or None, by_id[part_id]))
        result[place] = sorted(numbered, key=lambda row: (row[0], _natural(row[1])))
    return result


def _parent_of(counted: Counted, part: str) -> Callable[[Interaction], Place]:
    seed = _seed(counted)

    def parent(item: Interaction) -> Place:
        cells = seed.get((item.event.app_token, part, item.entity_id), {})
        return item.event.app_token, item.parent_id or cells.get("parent_id") or None

    return parent


def _seed(counted: Counted) -> dict[Entity, Cells]:
    return {(c["app_token"], c["entity_type"], c["entity_id"]): c for c in counted.seeds.content}


def _name(seed: dict[Entity, Cells], entity: Entity) -> str | None:
    return seed.get(entity, {}).get("name") or None


def _option_name(seed: dict[Entity, Cells], item: Interaction) -> str | None:
    """The name of the answer, if it is an option of the module, or of none in particular."""
    option = seed.get((item.event.app_token, "survey_option", item.attributes["feedback"]), {})
    return option.get("name") or None if option.get("parent_id") in ("", item.entity_id) else None


def _natural(text: str | None) -> tuple[bool, int, str]:
    number = integer(text)
    return number is None, number or 0, text or ""


def _of_type(counted: Counted, entity_type: str) -> list[Interaction]:
    return [item for item in counted.interactions if item.entity_type == entity_type]


def _users(items: Iterable[Interaction], status: str | None = None) -> set[str]:
    return {
        item.event.user_id
        for item in items
        if item.event.user_id is not None and status in (None, item.status)
    }


def _user_counts(items: list[Interaction], *statuses: str) -> dict[str, int]:
    return {f"{status.lower()}_users": len(_users(items, status)) for status in statuses}


def _first_at(items: Iterable[Interaction], status: str) -> Any:
    return first(item.event.occurred_at for item in items if item.status == status)
