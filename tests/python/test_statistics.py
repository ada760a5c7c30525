"""The statistics macros, rendered and run in DuckDB, against scipy, statsmodels and numpy."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from building import ROOT
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

MACROS = ROOT / "macros"
FILES = [*sorted((MACROS / "statistics").glob("*.sql")), MACROS / "sql" / "safe_divide.sql"]
# The macros need nothing of dbt but each other, so plain Jinja renders them as dbt does.
macros: Any = (
    jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 (this is SQL, not HTML)
    .from_string("\n".join(file.read_text() for file in FILES))
    .module
)

Floats = NDArray[np.float64]
Column = Sequence[float | None] | NDArray[Any]
MAX_COUNT = 10_000_000


def evaluate(expression: str, **columns: Column) -> Floats:
    """The expression for each row of the columns; NULL comes back as nan."""
    table = pd.DataFrame(columns)
    with duckdb.connect() as connection:
        connection.register("input", table)
        rows = connection.sql(f"select cast({expression} as double) from input").fetchall()  # noqa: S608
    assert not any(value is not None and np.isnan(value) for (value,) in rows), "NaN, not NULL"
    return np.array([value for (value,) in rows], dtype=float)


def value_of(expression: str) -> Any:
    row = duckdb.connect().execute(f"select {expression}").fetchone()
    assert row is not None
    return row[0]


def shares() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Successes and trials: every share of few, the edges of many, and a random lot."""
    random = np.random.default_rng(20_240_101)
    few = [(k, n) for n in range(1, 13) for k in range(n + 1)]
    edges = [
        (k, n) for n in (100, 12_345, MAX_COUNT) for k in (0, 1, 2, n // 3, n // 2, n - 2, n - 1, n)
    ]
    trials = np.exp(random.uniform(0, np.log(MAX_COUNT), 400)).astype(np.int64)
    lot = list(zip(random.binomial(trials, random.beta(0.5, 0.5, 400)), trials, strict=True))
    successes, n = np.array(few + edges + lot, dtype=np.int64).T
    return successes, n


def pairs_of_shares() -> tuple[NDArray[np.int64], ...]:
    """Two groups: very few or the edges of many against the same, and a random lot."""
    random = np.random.default_rng(20_240_102)
    few = [(k, n) for n in (1, 2, 5) for k in range(n + 1)]
    edges = [(k, n) for n in (50, MAX_COUNT) for k in (0, 1, n // 2, n - 1, n)]
    chosen = [(*one, *other) for one, other in product(few + edges, repeat=2)]
    trials = np.exp(random.uniform(0, np.log(MAX_COUNT), (2, 400))).astype(np.int64)
    rate = random.beta(0.5, 0.5, 400)
    effect = random.normal(0, 0.02, 400)
    one = random.binomial(trials[0], np.clip(rate + effect, 0, 1))
    other = random.binomial(trials[1], rate)
    lot = list(zip(one, trials[0], other, trials[1], strict=True))
    return tuple(np.array(chosen + lot, dtype=np.int64).T)


TWO_GROUPS = ("k", "n", "k_ref", "n_ref")


# --- normal and chi-square distributions -------------------------------------------------------


@pytest.fixture(scope="module")
def deviations() -> Floats:
    random = np.random.default_rng(20_240_103)
    grid = np.linspace(-37, 37, 14_801)  # steps of 0.005, zero among them
    seam = 10 / np.sqrt(2) + np.linspace(-1e-9, 1e-9, 21)  # where the two formulas meet
    return np.concatenate([grid, seam, -seam, random.normal(0, 3, 5_000)])


def test_normal_cdf_equals_scipy(deviations: Floats) -> None:
    cdf = evaluate(macros.normal_cdf("x"), x=deviations)
    assert_allclose(cdf, stats.norm.cdf(deviations), rtol=0, atol=1e-15)
    assert_allclose(cdf, stats.norm.cdf(deviations), rtol=1e-8, atol=0)


def test_normal_tail_equals_scipy(deviations: Floats) -> None:
    x = np.abs(deviations)
    assert_allclose(evaluate(macros.normal_tail("x"), x=x), stats.norm.sf(x), rtol=1e-8, atol=0)


def test_two_sided_p_value_equals_scipy(deviations: Floats) -> None:
    p_values = evaluate(macros.two_sided_p_value("z"), z=deviations)
    assert_allclose(p_values, 2 * stats.norm.sf(np.abs(deviations)), rtol=1e-8, atol=0)


def test_normal_distribution_far_out_and_at_null() -> None:
    far = [-1e308, -1e10, -38.0, 38.0, 1e10, 1e308, None]
    assert_allclose(evaluate(macros.normal_cdf("x"), x=far), [0, 0, 0, 1, 1, 1, np.nan])
    assert_allclose(evaluate(macros.two_sided_p_value("x"), x=far), [0, 0, 0, 0, 0, 0, np.nan])


def test_normal_cdf_is_monotone_and_symmetric(deviations: Floats) -> None:
    x = np.sort(deviations)
    cdf = evaluate(macros.normal_cdf("x"), x=x)
    assert (np.diff(cdf) >= -1e-16).all()
    assert_allclose(cdf + evaluate(macros.normal_cdf("-x"), x=x), 1, rtol=0, atol=1e-15)
    assert value_of(macros.normal_cdf("0")) == 0.5
    assert value_of(macros.two_sided_p_value("0")) == 1


@pytest.mark.parametrize("degrees_of_freedom", range(1, 10))
def test_chi_square_equals_scipy(degrees_of_freedom: int) -> None:
    random = np.random.default_rng(20_240_104)
    statistic = np.concatenate(
        [
            *([0.0], np.geomspace(1e-40, 1e-2, 2_000), np.linspace(0, 1_369, 5_001)),
            random.exponential(5, 2_000),
        ]
    )
    survival = evaluate(
        macros.chi_square_sf("statistic", "degrees_of_freedom"),
        statistic=statistic,
        degrees_of_freedom=np.full(len(statistic), degrees_of_freedom),
    )
    expected = stats.chi2.sf(statistic, degrees_of_freedom)
    assert_allclose(survival, expected, rtol=1e-8, atol=0)
    assert survival.max() <= 1


def test_chi_square_of_a_split_equals_scipy() -> None:
    observed = [5_120, 4_780, 5_003]
    statistic, p_value = stats.chisquare(observed)
    assert value_of(macros.chi_square_sf(statistic, "3 - 1")) == pytest.approx(p_value, rel=1e-12)


def test_chi_square_knows_no_other_degrees_of_freedom() -> None:
    survival = evaluate(
        macros.chi_square_sf("statistic", "groups - 1"),
        statistic=[1.0, 1.0, 1.0, None, None],
        groups=[1, 11, None, 2, 3],
    )
    assert np.isnan(survival).all()


# --- shares ------------------------------------------------------------------------------------


def test_wilson_interval_equals_statsmodels() -> None:
    k, n = shares()
    low, high = proportion_confint(k, n, method="wilson")
    assert_allclose(evaluate(macros.wilson_low("k", "n"), k=k, n=n), low, rtol=0, atol=1e-14)
    assert_allclose(evaluate(macros.wilson_high("k", "n"), k=k, n=n), high, rtol=0, atol=1e-14)


def test_wilson_interval_holds_the_share_and_is_exact_at_the_edges() -> None:
    k, n = shares()
    low = evaluate(macros.wilson_low("k", "n"), k=k, n=n)
    high = evaluate(macros.wilson_high("k", "n"), k=k, n=n)
    assert ((low >= 0) & (low <= k / n) & (k / n <= high) & (high <= 1)).all()
    assert (low[k == 0] == 0).all() and (low[k > 0] > 0).all()
    assert (high[k == n] == 1).all() and (high[k < n] < 1).all()


@pytest.mark.parametrize("bound", [macros.wilson_low, macros.wilson_high])
def test_wilson_interval_of_no_share_is_null(bound: Any) -> None:
    impossible: dict[str, Column] = {
        "k": [0, 1, -1, 6, None, 1, None],
        "n": [0, 0, 5, 5, 5, None, None],
    }
    assert np.isnan(evaluate(bound("k", "n"), **impossible)).all()


def test_two_proportion_z_equals_statsmodels() -> None:
    k, n, k_ref, n_ref = groups = pairs_of_shares()
    z = evaluate(macros.two_proportion_z(*TWO_GROUPS), **dict(zip(TWO_GROUPS, groups, strict=True)))
    p_values = evaluate(macros.two_sided_p_value("z"), z=np.nan_to_num(z))
    has_variance = (k + k_ref > 0) & (k + k_ref < n + n_ref)
    assert np.array_equal(np.isnan(z), ~has_variance)
    expected = np.array(
        [
            proportions_ztest(row[[0, 2]], row[[1, 3]])
            for row in np.column_stack(groups)[has_variance]
        ]
    )
    assert_allclose(z[has_variance], expected[:, 0], rtol=1e-9, atol=1e-12)
    in_reach = np.abs(expected[:, 0]) < 37
    assert in_reach.sum() > 500
    assert_allclose(p_values[has_variance][in_reach], expected[in_reach, 1], rtol=1e-6, atol=0)
    assert (p_values[has_variance][~in_reach] == 0).all()


def test_two_proportion_z_of_equal_shares_is_zero() -> None:
    assert value_of(macros.two_proportion_z(3, 10, 3, 10)) == 0
    assert value_of(macros.two_proportion_z(1, 4, 25, 100)) == 0


def test_two_proportion_z_is_positive_where_the_variant_is_better() -> None:
    assert value_of(macros.two_proportion_z(6, 10, 4, 10)) > 0
    assert value_of(macros.two_proportion_z(4, 10, 6, 10)) < 0


def test_newcombe_interval_equals_statsmodels() -> None:
    groups = pairs_of_shares()
    columns = dict(zip(TWO_GROUPS, groups, strict=True))
    low, high = confint_proportions_2indep(*groups, method="newcomb", compare="diff")
    ours = evaluate(macros.newcombe_low(*TWO_GROUPS), **columns)
    assert_allclose(ours, low, rtol=0, atol=1e-14)
    ours = evaluate(macros.newcombe_high(*TWO_GROUPS), **columns)
    assert_allclose(ours, high, rtol=0, atol=1e-14)


def test_newcombe_interval_ends_at_plus_and_minus_one() -> None:
    assert value_of(macros.newcombe_low(0, 7, 9, 9)) == -1
    assert value_of(macros.newcombe_high(7, 7, 0, 9)) == 1


@pytest.mark.parametrize(
    "comparison", [macros.two_proportion_z, macros.newcombe_low, macros.newcombe_high]
)
def test_comparison_with_an_empty_group_is_null(comparison: Any) -> None:
    columns: dict[str, Column] = {
        "k": [0, 3, 0, None, 3, 3],
        "n": [0, 9, 0, 9, 9, None],
        "k_ref": [3, 0, 0, 3, None, 3],
        "n_ref": [9, 0, 0, 9, 9, 9],
    }
    assert np.isnan(evaluate(comparison(*TWO_GROUPS), **columns)).all()


# --- Holm --------------------------------------------------------------------------------------


def holm(families: Sequence[Sequence[float | None]]) -> list[Floats]:
    """Adjusted p values of each family, made by the two steps as a model makes them."""
    rows = [
        (family, position, p_value)
        for family, p_values in enumerate(families)
        for position, p_value in enumerate(p_values)
    ]
    table = pd.DataFrame(rows, columns=["family", "position", "p_value"])
    query = f"""
        with tested as (
            select *, {macros.holm_step("p_value", "family")} as holm_step from input
        )
        select family, {macros.holm_p_value("holm_step", "p_value", "family")} from tested
        order by family, position
    """  # noqa: S608
    with duckdb.connect() as connection:
        connection.register("input", table)
        adjusted = connection.sql(query).fetchall()
    return [
        np.array([value for key, value in adjusted if key == family], dtype=float)
        for family in range(len(families))
    ]


def statsmodels_holm(p_values: Sequence[float | None]) -> Floats:
    adjusted: Floats = np.array(p_values, dtype=float)
    is_known = ~np.isnan(adjusted)
    if is_known.any():
        adjusted[is_known] = multipletests(adjusted[is_known], method="holm")[1]
    return adjusted


def test_holm_equals_statsmodels() -> None:
    random = np.random.default_rng(20_240_105)
    families: list[list[float | None]] = [
        [0.04],
        [0.01, 0.04],
        [0.02, 0.03, 0.025],  # the running maximum counts
        [0.03, 0.01, 0.03, 0.03],  # ties
        [0.6, 0.7, 1.0, 0.0],  # capped at 1, and the ends of the range
        [1e-300, 1e-12, 0.5],
        [0.02, None, 0.01, None],
        [None, None],
        [None, 0.3],
        *(random.beta(0.4, 2, random.integers(1, 9)).tolist() for _ in range(100)),
        *((random.integers(0, 5, 6) / 10).tolist() for _ in range(50)),
    ]
    for adjusted, p_values in zip(holm(families), families, strict=True):
        assert_allclose(adjusted, statsmodels_holm(p_values), rtol=1e-15, atol=0)


def test_holm_keeps_null_comparisons_out() -> None:
    (adjusted,) = holm([[0.02, None, 0.01]])
    assert_allclose(adjusted, [0.02, np.nan, 0.02])


# --- Net Promoter Score ------------------------------------------------------------------------


def score_counts() -> dict[str, NDArray[np.int64]]:
    random = np.random.default_rng(20_240_106)
    few = [(p, d, n) for n in range(1, 8) for p in range(n + 1) for d in range(n + 1 - p)]
    lot = random.multinomial(MAX_COUNT, random.dirichlet([1, 1, 1], 200))
    counts = np.array(few + [(p, d, MAX_COUNT) for p, _, d in lot], dtype=np.int64).T
    return dict(zip(("promoters", "detractors", "responses"), counts, strict=True))


def test_net_promoter_score_is_the_mean_of_the_votes() -> None:
    counts = score_counts()
    expected = 100 * (counts["promoters"] - counts["detractors"]) / counts["responses"]
    assert_allclose(evaluate(macros.net_promoter_score(*counts), **counts), expected, rtol=1e-15)


def test_nps_margin_is_the_standard_error_of_the_votes() -> None:
    """The variance from each vote's distance to the mean, not from the macro's shortcut."""
    counts = score_counts()
    p, d, n = (np.asarray(column, dtype=float) for column in counts.values())
    mean = (p - d) / n
    variance = (p * (1 - mean) ** 2 + (n - p - d) * mean**2 + d * (-1 - mean) ** 2) / n
    expected = 100 * 1.959964 * np.sqrt(variance / n)
    margin = evaluate(macros.nps_margin_of_error_95(*counts), **counts)
    assert_allclose(margin, expected, rtol=1e-12, atol=1e-12)


def test_nps_margin_of_one_survey() -> None:
    votes = np.repeat([1, 0, -1], [50, 30, 20])
    expected = 100 * 1.959964 * votes.std() / np.sqrt(len(votes))
    assert value_of(macros.nps_margin_of_error_95(50, 20, 100)) == pytest.approx(expected)
    assert value_of(macros.net_promoter_score(50, 20, 100)) == 30


@pytest.mark.parametrize("measure", [macros.net_promoter_score, macros.nps_margin_of_error_95])
def test_nps_without_responses_is_null(measure: Any) -> None:
    columns: dict[str, Column] = {"p": [0, None, 1], "d": [0, 1, 1], "n": [0, 4, None]}
    assert np.isnan(evaluate(measure("p", "d", "n"), **columns)).all()


# --- what holds for all ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 0.5), ("1 + 2", "2 + 2", 0.75), (1, 0, None), (0, "0.0", None), ("null", 1, None)],
)
def test_safe_divide(numerator: object, denominator: object, expected: float | None) -> None:
    assert value_of(macros.safe_divide(numerator, denominator)) == expected


COUNTS: Mapping[str, tuple[str, ...]] = {
    "wilson_low": ("k", "n"),
    "wilson_high": ("k", "n"),
    "two_proportion_z": TWO_GROUPS,
    "newcombe_low": TWO_GROUPS,
    "newcombe_high": TWO_GROUPS,
    "net_promoter_score": ("k", "k_ref", "n"),
    "nps_margin_of_error_95": ("k", "k_ref", "n"),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_any_type_and_with_operators_give_the_same(name: str) -> None:
    """Small integers do not overflow, whole numbers do not divide whole, operators keep order."""
    values = {"k": 3_000_000, "n": 9_000_000, "k_ref": 2_999_000, "n_ref": 9_000_001}
    macro = getattr(macros, name)
    expected = value_of(macro(*(f"cast({values[c]} as double)" for c in COUNTS[name])))
    for sql_type in ("integer", "uinteger", "bigint", "hugeint", "decimal(18, 0)"):
        got = value_of(macro(*(f"cast({values[c]} as {sql_type})" for c in COUNTS[name])))
        assert got == pytest.approx(expected, rel=1e-12), sql_type
    got = value_of(macro(*(f"{values[c] + 7} - 4 - 3" for c in COUNTS[name])))
    assert got == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [*COUNTS, "normal_cdf", "two_sided_p_value"])
def test_results_are_doubles_and_may_be_scaled(name: str) -> None:
    expression = getattr(macros, name)(*COUNTS.get(name, ("z",)))
    row = "select 3 as k, 10 as n, 4 as k_ref, 11 as n_ref, 0.7 as z"
    query = f"select {expression} as plain, 2 * {expression} as twice from ({row})"  # noqa: S608
    result = duckdb.sql(query)
    assert {str(kind) for kind in result.types} == {"DOUBLE"}
    plain, twice = result.fetchall()[0]
    assert twice == pytest.approx(2 * plain, rel=1e-12)
