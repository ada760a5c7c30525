"""Statistics of proportions, written from their definitions."""

import math
from collections.abc import Sequence

Z95 = 1.959963984540054


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a proportion: the two roots of its quadratic."""
    if not n:
        return None
    a, b, c = n + Z95**2, -(2 * successes + Z95**2), successes**2 / n
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


def newcombe(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float] | None:
    """Newcombe's 95 % interval (his method 10) of the first proportion minus the second."""
    one, two = wilson(x1, n1), wilson(x2, n2)
    if one is None or two is None:
        return None
    p1, p2 = x1 / n1, x2 / n2
    below = math.hypot(p1 - one[0], two[1] - p2)
    above = math.hypot(one[1] - p1, p2 - two[0])
    return p1 - p2 - below, p1 - p2 + above


def pooled_z(x1: int, n1: int, x2: int, n2: int) -> float | None:
    """The z score of the first proportion minus the second, with pooled variance."""
    if not n1 or not n2 or x1 + x2 in (0, n1 + n2):
        return None
    pooled = (x1 + x2) / (n1 + n2)
    return (x1 / n1 - x2 / n2) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))


def two_sided_p(z: float) -> float:
    """The probability of a standard normal at least this far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment over the p values that are there."""
    ordered = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - rank) * p))
        adjusted[place] = largest
    return adjusted


def split_p(observed: Sequence[int], shares: Sequence[float]) -> float | None:
    """Chi-square p value of counts against planned shares, for two or three groups."""
    total = sum(observed)
    if len(observed) not in (2, 3) or not total:
        return None
    expected = [total * share / sum(shares) for share in shares]
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    return math.erfc(math.sqrt(statistic / 2)) if len(observed) == 2 else math.exp(-statistic / 2)


def quantile(values: Sequence[float], q: float) -> float | None:
    """The quantile with linear interpolation between the two nearest values."""
    if not values:
        return None
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
