import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sectorbook.errors import SectorbookError
from sectorbook.measures import multiplicity, randomization
from statsmodels.stats.multitest import multipletests
from trial import randomized


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_exact_test_is_scipys(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"y": rng.normal(size=9), "t": [1] * 4 + [0] * 5})
    ours = randomization.randomization_test(frame, "y", "t", "difference")
    theirs = stats.permutation_test(
        (frame.y[:4], frame.y[4:]),
        lambda a, b: np.abs(a.mean() - b.mean()),
        n_resamples=np.inf,
        alternative="greater",
    )
    assert ours.exact and ours.assignments == 126
    assert ours.p_value == pytest.approx(theirs.pvalue)


def test_blocks_and_clusters_are_drawn_as_they_were_assigned():
    frame = randomized(400)
    loose = randomization.randomization_test(frame, "y", "t", draws=499, seed=1)
    assert loose.p_value == randomization.randomization_test(frame, "y", "t", draws=499, seed=1).p_value
    assert loose.smallest_p == 1 / 500
    # With the outcome all between blocks and no effect within, drawing within blocks leaves nothing to find.
    frame["odds"] = (np.arange(400) % 20 < 4 + 12 * (frame["block"] % 2)).astype(int)
    frame["level"] = 10.0 * (frame["block"] % 2) + np.random.default_rng(0).normal(size=400)
    across = randomization.randomization_test(frame, "level", "odds", draws=199)
    within = randomization.randomization_test(frame, "level", "odds", block="block", draws=199)
    assert across.p_value == 1 / 200 and within.p_value > 0.05
    frame["whole"] = frame["site"] % 2
    clustered = randomization.randomization_test(frame, "y", "whole", cluster="site", draws=199)
    assert clustered.n_treated == 20
    with pytest.raises(SectorbookError, match="clusters must be assigned whole"):
        randomization.randomization_test(frame, "y", "t", cluster="site")
    with pytest.raises(SectorbookError, match="Did you mean 'rank'"):
        randomization.randomization_test(frame, "y", "t", "ranks")


def test_type_one_error_is_nominal_in_every_small_trial():
    """Over all assignments of a fixed outcome under no effect, the share of p ≤ α never exceeds α."""
    from itertools import combinations

    y, found = np.array([3.0, 1, 4, 1, 5, 9, 2, 6]), []
    for chosen in combinations(range(8), 4):
        frame = pd.DataFrame({"y": y, "t": np.isin(np.arange(8), chosen).astype(int)})
        found.append(randomization.randomization_test(frame, "y", "t", "studentized").p_value)
    for alpha in (0.05, 0.1, 0.25, 0.5):
        assert np.mean(np.array(found) <= alpha + 1e-12) <= alpha


def test_adjusted_p_values_are_rs():
    p = [0.001, 0.012, 0.03, 0.04, 0.2]
    assert multiplicity.adjust(p)[1] == pytest.approx(0.048)  # R p.adjust, holm
    assert multiplicity.adjust(p, "benjamini-hochberg")[[1, 3]] == pytest.approx([0.03, 0.05])
    with_gap = multiplicity.adjust([0.001, np.nan, 0.012, 0.03, 0.04, 0.2])
    assert np.isnan(with_gap[1]) and with_gap[2] == pytest.approx(0.048)
    with pytest.raises(SectorbookError, match="between 0 and 1"):
        multiplicity.adjust([1.2])


def test_westfall_young_costs_nothing_for_a_copy_and_sidaks_price_for_strangers():
    frame = randomized(200, effect=0.9, seed=2)
    frame["copy"] = frame["y"] * 3 + 7
    table = multiplicity.westfall_young(frame, ["y", "copy"], "t", draws=999, seed=1).set_index("outcome")
    assert table.loc["y", "p_adjusted"] == table.loc["y", "p_value"] == table.loc["copy", "p_adjusted"]
    rng = np.random.default_rng(0)
    for i in range(4):
        frame[f"z{i}"] = rng.normal(size=200)
    names = ["y", *[f"z{i}" for i in range(4)]]
    table = multiplicity.westfall_young(frame, names, "t", draws=1999, seed=1).set_index("outcome")
    # Unrelated outcomes: the price is Šidák's, step by step.
    sidak = multipletests(table["p_value"].tolist(), method="holm-sidak")[1]
    assert (table["p_adjusted"] >= table["p_value"]).all()
    assert table["p_adjusted"].to_numpy() == pytest.approx(sidak, abs=0.05)
    ordered = table.sort_values("p_value")["p_adjusted"]
    assert ordered.is_monotonic_increasing
