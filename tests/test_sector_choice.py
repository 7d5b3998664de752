import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures.sector_choice import (
    CRITERIA,
    rank_sectors,
    rank_stability,
    rank_without_each,
    scaled,
    two_axes,
)

SIMULATION = 1.5  # percentage points: three standard errors of a share of one half over 10,000 draws

THREE = pd.DataFrame(
    {"concentration": [2.0, 1.0], "growth_pct": [9.0, 3.0], "openings": [100, 300]}, index=["health", "metal"]
)

tables = st.integers(2, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(-50, 50), min_size=n, max_size=n), min_size=4, max_size=4).map(
        lambda columns: pd.DataFrame(
            dict(zip(list(CRITERIA)[:4], columns, strict=True)), index=[f"s{i}" for i in range(n)]
        )
    )
)


def test_ranking_by_hand():
    table = pd.DataFrame({"concentration": [1.0, 2, 3], "openings": [40, 10, 20]}, index=["a", "b", "c"])
    assert scaled(table).to_numpy().tolist() == [[0, 1], [0.5, 0], [1, pytest.approx(1 / 3)]]
    ranked = rank_sectors(table, {"concentration": 3, "openings": 1})
    assert ranked.index.tolist() == ["c", "b", "a"]
    assert ranked["score"].tolist() == pytest.approx([0.75 + 0.25 / 3, 0.375, 0.25])
    assert rank_sectors(table, {"concentration": 0, "openings": 1}).index[0] == "a"


def test_share_of_weightings_is_that_of_geometry():
    # health leads on two of three criteria, so it is first unless the third weighs more than half: in a triangle of
    # weights that corner is a quarter.
    found = rank_stability(THREE, seed=1)
    assert found.loc["health", "first_pct"] == pytest.approx(75, abs=SIMULATION)
    assert found["first_pct"].sum() == pytest.approx(100)
    assert found.loc["metal", ["rank_lower", "rank_median", "rank_upper"]].tolist() == [1, 2, 2]
    assert found.loc["health", "first_standard_error_pct"] == pytest.approx(
        100 * np.sqrt(0.75 * 0.25 / 10_000), rel=0.02
    )


def test_weights_and_firmness_move_the_draws():
    weights = {"concentration": 1, "growth_pct": 1, "openings": 4}
    vague, firm = (
        rank_stability(THREE, seed=1, weights=weights, firmness=f).loc["metal", "first_pct"] for f in (1, 50)
    )
    assert 50 < vague < 90 < firm
    assert rank_stability(THREE, seed=1, weights=weights | {"openings": 0}).loc["health", "first_pct"] == 100


def test_unsure_data_make_the_ranking_less_sure():
    lower, upper = THREE[["growth_pct"]] - 20.0, THREE[["growth_pct"]] + 20.0
    sure, unsure = rank_stability(THREE, seed=1), rank_stability(THREE, seed=1, lower=lower, upper=upper)
    assert 50 < unsure.loc["health", "first_pct"] < sure.loc["health", "first_pct"] - 3
    point = rank_stability(THREE, seed=1, lower=THREE, upper=THREE)
    pd.testing.assert_frame_equal(point, sure)


@settings(deadline=None, max_examples=40)
@given(tables, st.integers(0, 1000))
def test_a_dominant_candidate_is_always_first(table, seed):
    table.loc["best"] = table.max() + 1
    found = rank_stability(table, seed, draws=200)
    assert found.loc["best", "first_pct"] == 100 and found.loc["best", "rank_upper"] == 1
    assert rank_sectors(table).index[0] == "best"
    assert (rank_without_each(table).loc["best"] == 1).all()
    assert (found["first_pct"] <= found["top3_pct"]).all()
    assert (found["rank_lower"] <= found["rank_median"]).all() and (
        found["rank_median"] <= found["rank_upper"]
    ).all()
    pd.testing.assert_frame_equal(found, rank_stability(table, seed, draws=200))


def test_top_three_is_three():
    ladder = pd.DataFrame(
        {"concentration": [5.0, 4, 3, 2, 1], "openings": [50, 40, 30, 20, 10]}, index=list("abcde")
    )
    found = rank_stability(ladder, seed=1, draws=100).loc[list("abcde")]
    assert found["top3_pct"].tolist() == [100, 100, 100, 0, 0]
    assert found["rank_median"].tolist() == [1, 2, 3, 4, 5]


def test_what_a_first_place_rests_on():
    table = pd.DataFrame(
        {"concentration": [9.0, 0, 1], "growth_pct": [0, 5.0, 4], "openings": [0.0, 4, 5]}, index=list("abc")
    )
    ranks = rank_without_each(table, {"concentration": 3, "growth_pct": 1, "openings": 1})
    assert ranks.loc["a"].tolist() == [1, 3, 1, 1]
    assert list(ranks.columns) == ["all", "concentration", "growth_pct", "openings"]


def test_two_axes():
    found = two_axes(THREE, {"concentration": 1, "growth_pct": 3, "openings": 1})
    assert found.to_numpy() == pytest.approx(np.eye(2))
    with pytest.raises(SectorbookError, match="opportunity_for_workers"):
        two_axes(THREE.drop(columns="openings"))


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: scaled(THREE.rename(columns={"openings": "opening"})), "Did you mean 'openings'"),
        (lambda: scaled(THREE.iloc[:1]), "two candidates"),
        (lambda: scaled(THREE.assign(openings=[1, None])), "openings of 'metal' is nan, not a number"),
        (lambda: rank_sectors(THREE, {"openings": 1}), "weights lacks 'concentration'"),
        (lambda: rank_sectors(THREE, dict.fromkeys(THREE, 0)), "not all 0"),
        (lambda: rank_stability(THREE, 1, lower=THREE), "both lower and upper"),
        (
            lambda: rank_stability(THREE, 1, lower=THREE + 1, upper=THREE + 2),
            "concentration of 'health' is 2, outside",
        ),
        (lambda: rank_stability(THREE, 1, firmness=5), "give both"),
        (lambda: rank_without_each(THREE[["openings"]]), "at least two"),
    ],
)
def test_wrong_input_says_what_is_wrong(call, said):
    with pytest.raises(SectorbookError, match=said):
        call()
