"""What may and may not be concluded from an experiment, in one plain sentence a comparison."""

import math
from dataclasses import dataclass
from typing import Any

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
SIGNIFICANT = 0.05
# The normal approximation wants this many conversions, and as many others, in each group.
EXPECTED_AT_LEAST = 5
# A test that would rather miss a difference of this size than see it, is too small to say "none".
WORTH_SEEING = 0.05
# Quantiles of a two-sided test at 5 % that sees a true difference four times out of five.
SIGMAS_SEEN = 1.959964 + 0.841621
CONTAMINATION_WORTH_SAYING = 0.05
DAYS_OF_A_WEEK = 7


@dataclass(frozen=True)
class Conclusion:
    """What one comparison amounts to (`kind`), and the sentence that says so."""

    variant: str
    kind: str
    text: str


def conclusion(variant: dict[str, Any], reference: dict[str, Any]) -> Conclusion:
    """Compare a variant with the reference."""
    one, other = variant["variant"], reference["variant"]
    kind, text = _compared(variant, reference, f"{one} against {other}: ")
    return Conclusion(one, kind, text)


def _compared(variant: dict[str, Any], reference: dict[str, Any], against: str) -> tuple[str, str]:
    if variant["has_srm"]:
        return "broken", (
            f"{against}nothing can be concluded, because users were not split as planned"
            f" ({probability(variant['srm_p_value'])})."
        )
    seen = smallest_difference_seen(variant, reference)
    if variant["difference"] is None or variant["holm_p_value"] is None or seen is None:
        return "few", f"{against}nothing can be concluded yet, there are not enough users."
    points = 100 * variant["difference"]
    low, high = 100 * variant["difference_low"], 100 * variant["difference_high"]
    interval = f"95 % interval {number(low, 1)} to {number(high, 1)}"
    if variant["holm_p_value"] < SIGNIFICANT and (low > 0 or high < 0):
        kind = "better" if points > 0 else "worse"
        return kind, (
            f"{variant['variant']} converts {kind} than {reference['variant']}, by"
            f" {number(points, 1)} percentage points ({interval}), more than chance explains."
        )
    shown = f"{against}no difference is shown ({number(points, 1)} percentage points, {interval})"
    if seen > WORTH_SEEING:
        return "underpowered", (
            f"{shown}, but with so few users one below about {number(100 * seen)} points"
            " would probably go unseen, so this does not mean that there is none."
        )
    return "none", f"{shown}; one of {number(100 * seen, 1)} points or more would probably be seen."


def smallest_difference_seen(variant: dict[str, Any], reference: dict[str, Any]) -> float | None:
    """Difference that a test of these users sees four times out of five; None for too few users."""
    groups = [variant["clean_users"], reference["clean_users"]]
    if min(groups) == 0:
        return None
    rate = (variant["converted_users"] + reference["converted_users"]) / sum(groups)
    if min(groups) * min(rate, 1 - rate) < EXPECTED_AT_LEAST:
        return None
    return SIGMAS_SEEN * math.sqrt(rate * (1 - rate) * sum(1 / users for users in groups))


def caveats(reference: dict[str, Any], users: int, contaminated_users: int) -> list[str]:
    """Say what weakens every comparison of the experiment."""
    found = []
    if contaminated_users:
        share = contaminated_users / users
        harm = (
            ", which is too many to trust the rest blindly"
            if share > CONTAMINATION_WORTH_SAYING
            else ""
        )
        found.append(
            f"{number(contaminated_users)} of {number(users)} users"
            f" ({number(100 * share, 1)} %) saw several variants and are left out{harm}."
        )
    if reference["is_control"] is None:
        found.append(
            "No control is declared in seeds/experiments.csv: the others are compared with"
            f" {reference['variant']}, the first by name."
        )
    if reference["days_running"] is not None and reference["days_running"] < DAYS_OF_A_WEEK:
        found.append("It ran for less than a week, so weekdays may explain a difference.")
    return found


def number(value: float | None, digits: int = 0) -> str:
    """Write a number for people, with a true minus sign; an en dash where there is none."""
    if value is None:
        return NOTHING
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def probability(value: float | None) -> str:
    """Write a p value for people."""
    if value is None:
        return NOTHING
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
