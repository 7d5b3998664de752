"""Chapter 10's measures: what changed at employers, beside others, and what came back."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import charts, known_answers, register, warehouse
from sectorbook.local import origin
from sectorbook.measures import employer_outcomes, employer_returns

DEMONSTRATION = origin.Origin("demonstration", origin.DEMONSTRATION, "san-francisco")
# The book prints three digits.
PRINTED = 0.0005


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return employer_outcomes.panel(warehouse.local("firm_outcomes", DEMONSTRATION))


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    return warehouse.framework("employer_measures")


def firms(
    part: int, others: int, effect: float, seed: int = 0, starts: tuple[float, ...] = (2022.0,)
) -> pd.DataFrame:
    rng, rows = np.random.default_rng(seed), []
    for n in range(part + others):
        own, takes = rng.normal(40, 5), float(n < part)
        start = starts[n % len(starts)] if takes else np.nan
        for year in range(2019, 2025):
            value = own + rng.normal(0, 1) + effect * (takes and year >= start)
            rows.append((f"F{n}", float(year), "turnover_pct", value, takes, start))
    columns = ["employer_code", "year", "measure", "value", "takes_part", "start_year"]
    return pd.DataFrame(rows, columns=columns)


def test_the_training_grants_give_the_textbook_s_answer() -> None:
    """Wooldridge, Example 14.1: grant -0.252 (0.151), grant last year -0.422 (0.210), 54 firms."""
    found = employer_outcomes.grants(known_answers.training_grants())
    assert found.log_points.tolist() == pytest.approx([-0.252, -0.422], abs=PRINTED)
    assert found.log_error.tolist() == pytest.approx([0.151, 0.210], abs=PRINTED)
    assert found.grant_firms.tolist() == [54, 54]
    assert found.grant_p_value.iloc[1] < 0.05 < found.grant_p_value_robust.iloc[1], (
        "by firm it is less certain"
    )
    # Swamy-Arora in R's plm.
    assert found.log_points_random.tolist() == pytest.approx(
        [-0.214435333319967, -0.37287551242629], rel=1e-6
    )
    assert employer_outcomes.grants_levels(known_answers.training_grants())["p_value"] == pytest.approx(
        0.70956512974614, rel=1e-6
    )


def test_changes_are_the_published_ones_where_the_figures_are(labels: pd.DataFrame) -> None:
    """A13: turnover -41, rework -19, complaints -23 percent, reported without a comparison."""
    after = {"turnover_pct": 59.0, "rework_pct": 81.0, "complaints": 77.0}
    rows = [
        (f"F{n}", year, measure, value, 1.0, 2022.0)
        for n in range(4)
        for measure, last in after.items()
        for year, value in ((2021.0, 100.0 + n), (2022.0, last * (100 + n) / 100))
    ]
    frame = pd.DataFrame(
        rows, columns=["employer_code", "year", "measure", "value", "takes_part", "start_year"]
    )
    found = employer_outcomes.changes(frame, labels)
    assert found.firm_change_pct.tolist() == pytest.approx([-41, -19, -23])
    assert set(found.firm_called) == {"reported"} and found.firm_change_pct_comparison.isna().all()
    assert found.firm_p_value.tolist() == [0.125] * 3, "four firms cannot give less"
    beside = employer_outcomes.beside_published(found, register.published())
    assert beside.reported_pct.tolist() == pytest.approx(beside.firm_change_pct.tolist())


def test_without_comparison_firms_no_effect_is_told(outcomes: pd.DataFrame, labels: pd.DataFrame) -> None:
    alone = outcomes[outcomes.takes_part == 1]
    effects = employer_outcomes.effects(alone, labels, 99, 1)
    assert effects.firm_effect.isna().all() and effects.firm_note.str.contains("reported").all()
    assert employer_outcomes.by_year(alone, "turnover_pct").empty
    one = pd.concat([alone, outcomes[outcomes.employer_code == "E030"]])
    assert employer_outcomes.effects(one, labels, 99, 1).firm_effect.isna().all()


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 9), st.integers(2, 9), st.floats(-20, 20), st.integers(0, 99))
def test_the_effect_is_the_difference_of_the_mean_changes(
    part: int, others: int, effect: float, seed: int
) -> None:
    """With one start and no gaps, two-way fixed effects are the difference of the groups' mean changes."""
    frame = firms(part, others, effect, seed)
    labels = warehouse.framework("employer_measures")
    found = employer_outcomes.effects(frame, labels, 19, 1).iloc[0]
    late = frame.assign(late=frame.year >= 2022)
    means = late.groupby(["takes_part", "late"]).value.mean()
    by_hand = (means[1.0, True] - means[1.0, False]) - (means[0.0, True] - means[0.0, False])
    assert found.firm_effect == pytest.approx(by_hand)
    assert found.firm_effect_low < found.firm_effect < found.firm_effect_high
    assert (found.firm_n_part, found.firm_n_comparison) == (part, others)


def test_each_year_s_gap_is_that_of_a_dummy_regression() -> None:
    frame = firms(6, 5, -4.0)
    found = employer_outcomes.by_year(frame, "turnover_pct").set_index("year")
    years = pd.get_dummies(frame.year, dtype=float)
    gaps = years.drop(columns=2021.0).mul(frame.takes_part, axis=0).add_prefix("gap_")
    firm = pd.get_dummies(frame.employer_code, dtype=float)
    fit = sm.OLS(frame.value, pd.concat([gaps, firm, years.iloc[:, 1:].add_prefix("y_")], axis=1)).fit()
    for year in (2019.0, 2020.0, 2022.0, 2023.0, 2024.0):
        assert found.firm_gap[year] == pytest.approx(fit.params[f"gap_{year}"])
    assert found.firm_gap[2021.0] == 0 and np.isnan(found.firm_gap_low[2021.0])


def test_the_synthetic_effect_is_found_and_few_firms_are_told_apart(labels: pd.DataFrame) -> None:
    many = employer_outcomes.effects(firms(20, 20, -6.0), labels, 499, 1).iloc[0]
    assert many.firm_effect_low < -6 < many.firm_effect_high
    assert max(many.firm_wild_p_value, many.firm_exact_p_value) < 0.01
    few = employer_outcomes.effects(firms(2, 2, -6.0), labels, 499, 1).iloc[0]
    assert few.firm_exact_p_value >= 2 / 6 - 1e-12, "two of four firms: six ways, no p under a third"
    assert few.firm_wild_p_value >= 2 / 2**4


def test_firms_with_several_starts_are_not_put_in_one_difference(labels: pd.DataFrame) -> None:
    found = employer_outcomes.effects(firms(8, 8, -6.0, starts=(2021.0, 2023.0)), labels, 99, 1).iloc[0]
    assert found.firm_note == "several starts" and found.firm_effect_low < -6 < found.firm_effect_high
    assert employer_outcomes.by_year(firms(8, 8, -6.0, starts=(2021.0, 2023.0)), "turnover_pct").empty


def test_a_firm_that_misses_a_year_is_in_the_changes_and_not_in_the_panel(labels: pd.DataFrame) -> None:
    frame = firms(5, 5, -3.0)
    gap = frame[~((frame.employer_code == "F0") & (frame.year == 2020))]
    assert employer_outcomes.changes(gap, labels).firm_n.iloc[0] == 5
    assert employer_outcomes.effects(gap, labels, 19, 1).firm_n_part.iloc[0] == 4


# -- what came back ---------------------------------------------------------------------------------------------


def returns(**changed: object) -> pd.DataFrame:
    row = {
        "employer_code": "E1", "wage_annual_usd": 40_000.0, "separations_before": 30.0, "separations_after": 20.0,
        "vacancies": 10.0, "days_to_fill_before": 50.0, "days_to_fill_after": 40.0, "daily_value_usd": 100.0,
        "other_benefit_usd": 5_000.0, "cost_usd": 33_000.0,
    }  # fmt: skip
    return pd.DataFrame([row | changed])


def test_an_employer_s_return_by_hand() -> None:
    """10 fewer leave × 40,000 × 0.21 = 84,000; 10 jobs × 10 days × 100 = 10,000; 5,000 more: 99,000 for 33,000."""
    found = employer_returns.per_employer(returns(), 0.21).iloc[0]
    assert (found.turnover_before_usd - found.turnover_after_usd) == pytest.approx(84_000)
    assert (found.benefit_usd, found.roi_pct, found.parts_unknown) == (
        pytest.approx(99_000),
        pytest.approx(200),
        0,
    )


def test_a_part_that_is_not_known_is_not_zero() -> None:
    found = employer_returns.per_employer(returns(daily_value_usd=None, other_benefit_usd=None), 0.21).iloc[0]
    assert (
        np.isnan(found.vacancy_before_usd) and np.isnan(found.other_benefit_usd) and found.parts_unknown == 2
    )
    assert found.benefit_usd == pytest.approx(84_000)
    costs = employer_returns.costs(employer_returns.per_employer(returns(vacancies=None), 0.21))
    assert costs.cost_part.tolist() == ["Turnover"]


def test_the_parts_add_up_and_the_whole_has_an_interval() -> None:
    each = employer_returns.per_employer(warehouse.local("firm_returns", DEMONSTRATION), 0.21)
    costs = employer_returns.costs(each)
    assert (costs.cost_before_usd == costs.cost_after_usd + costs.cost_saved_usd).all()
    whole = employer_returns.together(each, 499, 1)
    assert whole["roi_pct"] == pytest.approx(100 * (each.benefit_usd.sum() / each.cost_usd.sum() - 1))
    assert whole["roi_ci_low"] < whole["roi_pct"] < whole["roi_ci_high"]
    spread = employer_returns.spread(each)
    assert spread.median_value.iloc[0] == each.roi_pct.median() and spread.firm_n.tolist() == [len(each)] * 3
    assert employer_returns.spread(each.head(4)).empty


def test_no_firms_give_empty_tables_and_no_numbers(outcomes: pd.DataFrame, labels: pd.DataFrame) -> None:
    none = outcomes.iloc[:0]
    assert (
        employer_outcomes.changes(none, labels).empty and employer_outcomes.effects(none, labels, 9, 1).empty
    )
    assert np.isnan(employer_outcomes.row(employer_outcomes.effects(none, labels, 9, 1), "x").firm_effect)
    assert np.isnan(employer_outcomes.change(employer_outcomes.changes(none, labels), "x").firm_change_pct)
    each = employer_returns.per_employer(returns().iloc[:0], 0.21)
    assert employer_returns.costs(each).empty and np.isnan(employer_returns.together(each, 9, 1)["roi_pct"])
    empty = employer_outcomes.by_year(none, "turnover_pct")
    gaps = ("firm_gap", "firm_gap_low", "firm_gap_high")
    assert "Nothing to show" in charts.gap_by_year(empty, "year", *gaps, np.nan, "Gap", "Title", "Note").alt
