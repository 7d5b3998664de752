import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sectorbook.errors import SectorbookError
from sectorbook.measures import clusters, effects, experiments, power
from trial import COVARIATES, randomized, supported_work

EXACT = 1e-9  # the same arithmetic twice: only rounding may differ


def test_the_experimental_benchmark():
    frame = supported_work()
    e = experiments.difference_in_means(frame, "re78", "treat")
    assert e.estimate == pytest.approx(1794.3424, abs=1e-3)  # LaLonde 1986; Dehejia & Wahba 1999
    assert e.standard_error == pytest.approx(670.9965, abs=1e-3)  # Welch, R's t.test
    assert e.p_value == pytest.approx(0.00789298, abs=1e-7)
    assert (e.n_treated, e.n_comparison) == (185, 260)
    assert experiments.lin(frame, "re78", "treat", COVARIATES).estimate == pytest.approx(1621.5831, abs=1e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_welch_is_scipys(seed, n):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"y": rng.normal(size=2 * n), "t": np.arange(2 * n) % 2})
    ours = experiments.difference_in_means(frame, "y", "t")
    theirs = stats.ttest_ind(frame.y[frame.t == 1], frame.y[frame.t == 0], equal_var=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-8)
    low, high = theirs.confidence_interval(0.95)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((low, high), rel=1e-8)


def test_blocked_difference_is_lins_with_block_dummies():
    frame = randomized()
    frame["block"] = frame["block"] % 4
    dummies = pd.get_dummies(frame["block"], prefix="b", drop_first=True, dtype=float)
    both = experiments.lin(frame.join(dummies), "y", "t", list(dummies.columns))
    ours = experiments.blocked_difference(frame, "y", "t", "block")
    assert ours.estimate == pytest.approx(both.estimate, rel=EXACT)
    assert ours.standard_error == pytest.approx(both.standard_error, rel=1e-6)
    assert ours.detail["blocks"] == 4


def test_a_block_without_a_comparison_is_named():
    frame = randomized()
    frame.loc[frame["block"] == 3, "t"] = 1
    with pytest.raises(SectorbookError, match="Block 3 of 'block' has 20 treated and 0 comparison"):
        experiments.blocked_difference(frame, "y", "t", "block")


def test_two_stage_least_squares_is_walds_ratio():
    frame = randomized(2000)
    tot = experiments.treatment_on_treated(frame, "y", "t", "took")
    itt = experiments.difference_in_means(frame, "y", "t").estimate
    uptake = experiments.difference_in_means(frame, "took", "t").estimate
    assert tot.estimate == pytest.approx(itt / uptake, rel=EXACT)
    assert tot.detail["take_up"] == pytest.approx(uptake, rel=EXACT)
    # Delta method of the ratio: residuals of y − effect·took, difference in means, over the take-up (HC1).
    resid = frame.assign(r=frame["y"] - tot.estimate * frame["took"])
    hand = experiments.difference_in_means(resid, "r", "t", "HC1").standard_error / uptake
    assert tot.standard_error == pytest.approx(hand, rel=1e-9)
    everyone = experiments.treatment_on_treated(frame, "y", "t", "t", ["x1"])
    assert everyone.estimate == pytest.approx(experiments.ancova(frame, "y", "t", ["x1"]).estimate, rel=1e-8)


def test_a_weak_offer_gives_no_interval():
    frame = randomized(60)
    frame["took"] = np.random.default_rng(5).integers(0, 2, 60)
    weak = experiments.treatment_on_treated(frame, "y", "t", "took")
    assert weak.detail["first_stage_f"] < 10 and np.isnan(weak.standard_error) and np.isnan(weak.ci_low)


def test_quantile_effects_shift_with_the_outcome():
    frame = randomized()
    plain = experiments.quantile_effects(frame, "y", "t", (0.5,), draws=200, seed=1)
    again = experiments.quantile_effects(frame, "y", "t", (0.5,), draws=200, seed=1)
    other = experiments.quantile_effects(frame, "y", "t", (0.5,), draws=200, seed=2)
    pd.testing.assert_frame_equal(plain, again)
    assert plain["ci_low"].iloc[0] != other["ci_low"].iloc[0]
    moved = experiments.quantile_effects(
        frame.assign(y=frame["y"] + 5 * frame["t"]), "y", "t", (0.5,), 200, 1
    )
    assert moved["estimate"].iloc[0] == pytest.approx(plain["estimate"].iloc[0] + 5)


def test_periods_come_in_time_order_and_subgroups_are_tested_jointly():
    frame = randomized().assign(q2=lambda d: d["y"], qm1=lambda d: d["x1"])
    table = experiments.by_period(frame, {2: "q2", -1: "qm1"}, "t")
    assert list(table["period"]) == [-1, 2]
    assert table["estimate"].iloc[1] == pytest.approx(
        experiments.difference_in_means(frame, "y", "t").estimate
    )
    frame["half"] = np.where(frame["block"] % 2, "a", "b")
    alike = experiments.by_subgroup(frame, "y", "t", "half")["difference_p_value"].iloc[0]
    frame.loc[(frame["half"] == "a") & (frame["t"] == 1), "y"] += 5
    assert experiments.by_subgroup(frame, "y", "t", "half")["difference_p_value"].iloc[0] < 1e-6 < alike


def test_missing_values_stop_an_estimate():
    frame = randomized()
    frame.loc[7, "x1"] = np.nan
    with pytest.raises(SectorbookError, match=r"'x1' has 1 missing values of 400 \(first in row 7\)"):
        experiments.ancova(frame, "y", "t", ["x1"])
    with pytest.raises(SectorbookError, match="Did you mean 'took'"):
        experiments.ancova(frame, "y", "t", ["tok"])
    with pytest.raises(SectorbookError, match="'twice' is a combination"):
        experiments.ancova(frame.assign(twice=2 * frame["x2"]), "y", "t", ["x2", "twice"])
    with pytest.raises(SectorbookError, match="must hold 1"):
        experiments.difference_in_means(frame, "y", "block")


def test_singleton_clusters_give_the_plain_robust_errors():
    frame = randomized(60)
    x = np.column_stack([np.ones(60), frame["t"], frame["x1"]])
    y, each = frame["y"].to_numpy(), np.arange(60)
    for cluster, plain in (("CR0", "HC0"), ("CR2", "HC2")):
        ours = clusters.cluster_robust(y, x, each, cluster, [0, 1, 0])
        assert ours.standard_error == pytest.approx(
            effects.regress(y, x, plain).contrast([0, 1, 0])[1], rel=1e-9
        )


def test_clustered_trial_needs_wider_intervals():
    rng = np.random.default_rng(3)
    site = np.arange(400) // 20
    frame = pd.DataFrame({"site": site, "t": site % 2, "x": rng.normal(size=400)})
    frame["y"] = rng.normal(size=20)[site] * 2 + rng.normal(size=400)
    wide = experiments.ancova(frame, "y", "t", ["x"], "CR2", cluster="site")
    narrow = experiments.ancova(frame, "y", "t", ["x"])
    assert wide.standard_error > 2 * narrow.standard_error
    assert wide.detail["df"] < 20


def test_side_by_side_marks_what_would_have_misled():
    e = effects.effect("ATT", "naive", -15204.78, 657.0, "HC2", (185, 2490))
    good = effects.effect("ATT", "balanced", 2058.1, 825.0, "M-estimation", (185, 2490))
    table = effects.side_by_side([e, good], benchmark=1794.34)
    assert list(table["covers_benchmark"]) == [False, True]
    assert table["bias"].iloc[0] == pytest.approx(-16999.12)


def test_power_and_its_inverse():
    design = power.Design(200, 300, outcome_sd=8000, r_squared=0.3, take_up=0.8)
    mde = power.minimum_detectable_effect(design)
    assert power.power_of(design, mde) == pytest.approx(0.8, abs=1e-9)
    plain = power.minimum_detectable_effect(power.Design(200, 300, outcome_sd=8000))
    assert mde == pytest.approx(plain * np.sqrt(0.7) / 0.8)
    sites = power.Design(200, 300, outcome_sd=8000, cluster_size=20, intraclass_correlation=0.05)
    assert power.minimum_detectable_effect(sites) > plain * np.sqrt(1.95)
    n = power.sample_size_means(0.25)
    assert power.power_of(power.Design(253, 253), 0.25) > 0.8 > power.power_of(power.Design(251, 251), 0.25)
    assert 252 < n < 253
    assert power.sample_size_shares(0.7, 0.6) == pytest.approx(
        355.942812655067, rel=1e-6
    )  # R's power.prop.test
