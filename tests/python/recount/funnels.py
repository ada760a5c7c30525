"""Funnels by brute force: every entry is tried, every next step taken at its earliest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .base import Counted, Interaction, Row, grouped, ratio, seconds
from .formulas import quantile
from .seeds import Cells, cell_matches

Chain = tuple[datetime, ...]


@dataclass(frozen=True)
class Funnel:
    """A funnel as the seed declares it."""

    name: str
    steps: list[Cells]
    exclusions: list[Cells]

    @property
    def window(self) -> timedelta | None:
        """How long after the entry a step counts; nothing: for ever."""
        declared = next((c["window_seconds"] for c in self.steps if c["window_seconds"]), None)
        return timedelta(seconds=float(declared)) if declared else None


def funnels(counted: Counted) -> list[Funnel]:
    """The funnels of the seed."""
    result = []
    for name, rows in grouped(counted.seeds.funnels, lambda cells: cells["funnel"]).items():
        exclusions = [cells for cells in rows if _is_true(cells.get("is_exclusion", ""))]
        steps = [cells for cells in rows if cells not in exclusions]
        steps.sort(key=lambda cells: int(cells["step"]))
        result.append(Funnel(name, steps, exclusions))
    return result


def funnel_users(counted: Counted) -> list[Row]:
    """Each user who entered a funnel, with the chain that counts."""
    rows: list[Row] = []
    for funnel in funnels(counted):
        for (app_token, user_id), items in counted.items_by_user.items():
            chain = best_chain(funnel, items)
            if chain:
                rows.append(
                    {
                        "funnel": funnel.name,
                        "app_token": app_token,
                        "user_id": user_id,
                        "max_step": int(funnel.steps[len(chain) - 1]["step"]),
                        "entry_at": chain[0],
                        "step_times": ",".join(f"{t:%Y-%m-%dT%H:%M:%S.%fZ}" for t in chain),
                        "is_open": _is_open(counted, funnel, chain),
                        "_chain": chain,
                    }
                )
    return rows


def funnel_steps(counted: Counted) -> list[Row]:
    """Each step of a funnel, for the apps in which somebody entered it."""
    entered: list[dict[str, Any]] = funnel_users(counted)
    by_place = grouped(entered, lambda row: (row["funnel"], row["app_token"]))
    declared = {funnel.name: funnel for funnel in funnels(counted)}
    rows: list[Row] = []
    for (name, app_token), users in by_place.items():
        chains: list[Chain] = [user["_chain"] for user in users]
        before: int | None = None
        for place, cells in enumerate(declared[name].steps):
            reached = [chain for chain in chains if len(chain) > place]
            waits = [seconds(c[place - 1], c[place]) for c in reached] if place else []
            rows.append(
                {
                    "funnel": name,
                    "step": int(cells["step"]),
                    "step_name": cells["step_name"] or None,
                    "app_token": app_token,
                    "users": len(reached),
                    "conversion_from_first": ratio(len(reached), len(chains)),
                    "conversion_from_previous": None
                    if before is None
                    else ratio(len(reached), before),
                    "median_seconds_from_previous": quantile(waits, 0.5),
                    "p90_seconds_from_previous": quantile(waits, 0.9),
                }
            )
            before = len(reached)
    return rows


def best_chain(funnel: Funnel, items: list[Interaction]) -> Chain:
    """The deepest chain of a user; of several, the one that enters first."""
    steps = [_times(cells, items) for cells in funnel.steps]
    excluded = sorted(moment for cells in funnel.exclusions for moment in _times(cells, items))
    best: Chain = ()
    for entry in steps[0] if steps else []:
        chain = _chain_from(entry, steps[1:], excluded, funnel.window)
        if len(chain) > len(best):
            best = chain
    return best


def _chain_from(
    entry: datetime, steps: list[list[datetime]], excluded: list[datetime], window: timedelta | None
) -> Chain:
    chain = [entry]
    for moments in steps:
        found = next((moment for moment in moments if moment > chain[-1]), None)
        if (
            found is None
            or (window is not None and found - entry > window)
            or any(entry < moment < found for moment in excluded)
        ):
            break
        chain.append(found)
    return tuple(chain)


def _times(cells: Cells, items: list[Interaction]) -> list[datetime]:
    return [
        item.event.occurred_at
        for item in items
        if cell_matches(cells["event_type"], item.event.event_type)
        and cell_matches(cells["event_name"], item.event.event_name)
        and cell_matches(cells["entity_type"], item.entity_type)
        and cell_matches(cells["entity_id"], item.entity_id)
        and cell_matches(cells["interaction_status"], item.status)
    ]


def _is_open(counted: Counted, funnel: Funnel, chain: Chain) -> bool | None:
    if len(chain) == len(funnel.steps):
        return False
    if funnel.window is None:
        return True
    end = counted.end_of_as_of_date
    return None if end is None else chain[0] + funnel.window > end


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "1")
