from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import balance
from shared import SHARED, needs_shared
from trial import COVARIATES, selected, supported_work

TABLE = pd.DataFrame(
    yaml.safe_load(
        (Path(__file__).resolve().parents[1] / "config" / "wwc_attrition.yml").read_text(encoding="utf-8")
    )["boundary"]
)


@needs_shared
def test_the_boundary_is_the_handbooks():
    published = pd.read_csv(SHARED / "reference" / "gold" / "wwc_attrition_v4_1_tableII1.csv")
    pd.testing.assert_frame_equal(TABLE.astype(float), published.astype(float))


@pytest.mark.parametrize(
    ("assumption", "lost_treated", "lost_comparison", "rating"),
    [
        ("cautious", 131, 69, "low"),  # 6.2 points against 6.3
        ("cautious", 132, 68, "high"),
        ("optimistic", 154, 46, "low"),  # 10.8 points against 10.9
        ("optimistic", 155, 45, "high"),
    ],
)
def test_the_boundary_decides(assumption, lost_treated, lost_comparison, rating):
    found = balance.attrition((1000, 1000), (1000 - lost_treated, 1000 - lost_comparison), TABLE, assumption)
    assert found.overall_pct == pytest.approx(10)
    assert found.boundary_pp == {"cautious": 6.3, "optimistic": 10.9}[assumption]
    assert found.rating == rating


def test_between_two_rows_the_stricter_holds_and_beyond_the_table_it_is_high():
    assert (
        balance.attrition((1000, 1000), (895, 895), TABLE).boundary_pp == 6.2
    )  # 10.5 %: rows 10 (6.3) and 11 (6.2)
    assert (
        balance.attrition((1000, 1000), (995, 995), TABLE).boundary_pp == 5.7
    )  # 0.5 %: rows 0 (5.7) and 1 (5.8)
    assert balance.attrition((1000, 1000), (420, 420), TABLE).rating == "high"  # 58 %: no cautious figure
    assert balance.attrition((1000, 1000), (420, 420), TABLE, "optimistic").rating == "low"
    assert balance.attrition((1000, 1000), (300, 300), TABLE, "optimistic").rating == "high"
    with pytest.raises(SectorbookError, match="11 analysed of 10"):
        balance.attrition((10, 10), (11, 9), TABLE)


def test_effect_sizes_of_the_supported_work_baseline():
    table = balance.balance_table(supported_work(), "treat", COVARIATES).set_index("covariate")
    assert table.loc["educ", "effect_size"] == pytest.approx(0.143632296679258, rel=1e-6)  # Hedges g, R
    assert table.loc["nodegree", "effect_size"] == pytest.approx(-0.443177675143068, rel=1e-6)  # Cox index, R
    assert table.loc["nodegree", "standardized_difference"] == pytest.approx(-0.277509435600073, rel=1e-6)
    assert table.loc["nodegree", "verdict"] == "not satisfied" and table.loc["re74", "verdict"] == "satisfied"
    assert np.isnan(table.loc["black", "variance_ratio"]) and table.loc[
        "age", "variance_ratio"
    ] == pytest.approx(1.027755, abs=1e-6)


def test_thresholds_are_inclusive():
    assert [balance.equivalence(g) for g in (0.05, -0.0500001, 0.25, 0.2500001, np.nan)] == [
        "satisfied",
        "needs adjustment",
        "needs adjustment",
        "not satisfied",
        "cannot be judged",
    ]


def test_no_log_odds_is_said_not_guessed():
    assert np.isnan(balance.cox_index(1.0, 0.5, 20, 20))
    assert balance.cox_index(1.0, 1.0, 20, 20) == 0
    assert balance.hedges_g(1, 0, 1, 1, 10, 10) == pytest.approx(1 - 3 / 71)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_equal_weights_change_nothing(seed, w):
    frame = selected(60, seed=seed)
    plain = balance.balance_table(frame, "t", ["x1", "x2"])
    weighted = balance.balance_table(frame, "t", ["x1", "x2"], pd.Series(w, index=frame.index))
    pd.testing.assert_frame_equal(plain, weighted, rtol=1e-9)


def test_weights_of_other_rows_are_refused():
    frame = selected(60)
    with pytest.raises(SectorbookError, match="other rows"):
        balance.balance_table(frame, "t", ["x1"], pd.Series(1.0, index=frame.index + 1))


def test_ratings_follow_the_steps():
    frame = selected(400, seed=1)
    apart = balance.balance_table(frame, "t", ["x1"])
    low = balance.attrition((500, 500), (480, 480), TABLE)
    high = balance.attrition((500, 500), (480, 380), TABLE)
    assert low.rating == "low" and high.rating == "high"
    assert balance.study_rating(True, apart, [], low).rating == "meets standards without reservations"
    assert balance.study_rating(True, apart, ["x1"], high).rating == "does not meet standards"
    small = apart.assign(effect_size=0.2, verdict="needs adjustment")
    assert balance.study_rating(False, small, ["x1"]).rating == "meets standards with reservations"
    refused = balance.study_rating(False, small, [])
    assert refused.rating == "does not meet standards" and "x1: +0.20" in refused.reasons[1]
    with pytest.raises(SectorbookError, match="assigned and analysed"):
        balance.study_rating(True, small, [])
