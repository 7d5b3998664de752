"""Tiers of service, their gaps, and how they hang on the cut-offs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import tiers

CRITERIA = pd.DataFrame(
    {"criterion": ["wage_hourly_usd", "turnover_pct"], "cut_off": [20.0, 30.0], "better": ["higher", "lower"]}
)
EMPLOYERS = pd.DataFrame(
    {
        "employer": ["good", "willing", "other", "unknown wage", "unknown will"],
        "wage_hourly_usd": [25.0, 18.0, 15.0, None, 10.0],
        "turnover_pct": [30.0, 45.0, 20.0, 10.0, 50.0],
        "wants_to_improve": pd.array([None, True, False, True, None], dtype="boolean"),
    }
)


def test_tiers_by_hand_with_what_is_not_known_left_open():
    out = tiers.service_tiers(EMPLOYERS, CRITERIA).set_index("employer")
    assert out["tier"].tolist() == [1, 2, 3, pd.NA, pd.NA]
    assert out.loc["unknown wage", ["tier_best", "tier_worst"]].tolist() == [1, 2]
    assert out.loc["unknown will", ["tier_best", "tier_worst"]].tolist() == [2, 3]
    assert "wage_hourly_usd not known" in out.loc["unknown wage", "reason"]
    assert tiers.service_tiers(EMPLOYERS, CRITERIA, required=1)["tier"].tolist()[:4] == [1, 2, 1, 1]


def test_gaps_say_what_it_takes_to_move_up():
    gaps = tiers.job_quality_gaps(EMPLOYERS, CRITERIA).set_index(["employer", "criterion"])
    wage = gaps.loc[("willing", "wage_hourly_usd")]
    assert (wage["gap"], wage["gap_pct"], wage["step"]) == (2, 10, True)
    assert gaps.loc[("willing", "turnover_pct"), "gap_pct"] == 50
    assert gaps.loc[("good", "turnover_pct"), "gap"] == 0
    assert np.isnan(gaps.loc[("unknown wage", "wage_hourly_usd"), "gap"])
    one = tiers.job_quality_gaps(EMPLOYERS, CRITERIA, required=1).set_index(["employer", "criterion"])
    assert one.loc["willing", "step"].tolist() == [True, False]  # the nearer of the two is enough
    assert not one.loc["other", "step"].any()


def test_closing_the_steps_reaches_tier_1():
    known = EMPLOYERS.dropna(subset=["wage_hourly_usd"])
    for required in (1, 2):
        gaps = tiers.job_quality_gaps(known, CRITERIA, required)
        better = known.set_index("employer")
        for _, row in gaps[gaps["step"]].iterrows():
            better.loc[row["employer"], row["criterion"]] = row["cut_off"]
        assert (tiers.service_tiers(better.reset_index(), CRITERIA, required)["tier"] == 1).all()


def test_sensitivity_counts_those_who_move():
    table = tiers.tier_sensitivity(EMPLOYERS, CRITERIA, [-25, 0, 30]).set_index(["criterion", "shift_pct"])
    assert table.loc[("wage_hourly_usd", 0), "changed"] == 0
    assert table.loc[("wage_hourly_usd", -25), ["tier_1", "changed"]].tolist() == [2, 1]  # "other" pays 15
    assert table.loc[("wage_hourly_usd", 30), "tier_1"] == 0
    stable = tiers.tier_stability(EMPLOYERS, CRITERIA, [-25, 0, 30]).set_index("employer")
    assert stable.loc["other", "share_same_tier"] == pytest.approx(6 / 9)
    assert stable.loc["other", "tiers_reached"] == (1, 3)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(5, 60), st.floats(0, 100), st.booleans()), min_size=1, max_size=8),
    st.integers(1, 2),
)
def test_a_better_job_never_gets_a_worse_tier(rows, required):
    frame = pd.DataFrame(rows, columns=["wage_hourly_usd", "turnover_pct", "wants_to_improve"])
    frame["employer"] = range(len(frame))
    before = tiers.service_tiers(frame, CRITERIA, required)["tier"]
    raised = frame.assign(
        wage_hourly_usd=frame["wage_hourly_usd"] + 1, turnover_pct=frame["turnover_pct"] / 2
    )
    assert (tiers.service_tiers(raised, CRITERIA, required)["tier"] <= before).all()


@pytest.mark.parametrize(
    ("employers", "criteria", "required", "message"),
    [
        (EMPLOYERS.drop(columns="turnover_pct"), CRITERIA, None, "Unknown employer column 'turnover_pct'"),
        (
            EMPLOYERS,
            CRITERIA.assign(better=["more", "lower"]),
            None,
            "Criterion 'wage_hourly_usd': Unknown direction 'more'",
        ),
        (EMPLOYERS, CRITERIA, 3, "required is 3; it must be between 1 and the 2"),
    ],
)
def test_wrong_arguments_are_named(employers, criteria, required, message):
    with pytest.raises(SectorbookError, match=message):
        tiers.service_tiers(employers, criteria, required)
