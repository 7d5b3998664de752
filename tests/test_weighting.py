import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import balance, doubly_robust, estimators, weighting
from trial import COVARIATES, selected, supported_work

X = ["x1", "x2"]


def separated() -> pd.DataFrame:
    return pd.DataFrame({"y": np.arange(20.0), "t": [0] * 10 + [1] * 10, "x1": np.arange(20.0)})


def test_scores_are_statsmodels_and_are_not_clipped():
    frame = selected()
    scores = weighting.propensity_score(frame, "t", X)
    theirs = sm.Logit(frame["t"], sm.add_constant(frame[X])).fit(disp=0).predict()
    assert np.abs(scores - theirs).max() < 1e-8
    far = pd.concat(
        [frame, pd.DataFrame({"y": [0.0], "t": [0], "x1": [-60.0], "x2": [60.0], "group": [0]})],
        ignore_index=True,
    )
    assert weighting.propensity_score(far, "t", X).iloc[-1] < 1e-12


def test_perfect_separation_is_refused_not_clipped():
    with pytest.raises(SectorbookError, match="apart perfectly"):
        weighting.propensity_score(separated(), "t", ["x1"])
    with pytest.raises(SectorbookError, match="cannot match the treated means: 'x1'"):
        weighting.entropy_balance(separated(), "t", ["x1"])


def test_overlap_counts_and_keeps_everyone():
    scores = pd.Series([0.2, 0.5, 0.995, 0.001, 0.3, 0.4])
    report = weighting.overlap(scores, pd.Series([1, 1, 1, 0, 0, 0])).set_index("group")
    assert list(report["n"]) == [3, 3]
    assert report.loc["treated", "outside_other"] == 2
    assert report.loc["comparison", "outside_other"] == 1
    assert report.loc["treated", "over_0_99"] == 1 and report.loc["comparison", "under_0_01"] == 1
    assert "2 of 3 have no comparison person" in report.loc["treated", "verdict"]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.1, 1e4), st.floats(-1e4, 1e4))
def test_weights_do_not_depend_on_the_unit_of_a_covariate(seed, scale, shift):
    frame = selected(300, seed=seed)
    other = frame.assign(x1=frame["x1"] * scale + shift)
    for estimate in (weighting.ipw, weighting.entropy_balanced, doubly_robust.aipw):
        a, b = estimate(frame, "y", "t", X), estimate(other, "y", "t", X)
        assert a.estimate == pytest.approx(b.estimate, rel=1e-5, abs=1e-6)
        assert a.standard_error == pytest.approx(b.standard_error, rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_entropy_balance_balances(seed):
    frame = selected(200, seed=seed)
    found = weighting.entropy_balance(frame, "t", X)
    table = balance.balance_table(frame, "t", X, found.weights)
    assert table["standardized_difference"].abs().max() < 1e-7
    assert found.weights[frame["t"] == 0].sum() == pytest.approx((frame["t"] == 1).sum())
    assert (found.weights > 0).all()


def test_ate_weights_and_their_error_agree_with_the_bootstrap():
    frame = selected(1500, seed=3)
    e = weighting.ipw(frame, "y", "t", X, estimand="ATE")
    assert abs(e.estimate - 1) < 3 * e.standard_error
    rng, draws = np.random.default_rng(1), []
    for _ in range(150):
        draws.append(
            weighting.ipw(frame.iloc[rng.integers(0, 1500, 1500)], "y", "t", X, estimand="ATE").estimate
        )
    assert e.standard_error == pytest.approx(np.std(draws), rel=0.2)
    fixed = weighting.ipw(frame, "y", "t", X, estimand="ATE", se="HC0")
    assert fixed.estimate == pytest.approx(e.estimate) and fixed.standard_error > e.standard_error


def test_bootstrap_sits_beside_the_formula_and_is_seeded():
    frame = selected(400, seed=5)
    table = doubly_robust.bootstrap(frame, "y", "t", X, draws=120, seed=1).set_index("estimator")
    again = doubly_robust.bootstrap(frame, "y", "t", X, draws=120, seed=1).set_index("estimator")
    pd.testing.assert_frame_equal(table, again)
    assert (table["failed_draws"] == 0).all()
    formula = doubly_robust.aipw(frame, "y", "t", X)
    row = table.loc["doubly robust (AIPW, Hájek)"]
    assert row["estimate"] == pytest.approx(formula.estimate)
    assert row["standard_error"] == pytest.approx(formula.standard_error, rel=0.25)
    with pytest.raises(SectorbookError, match="Unknown estimator 'matching'"):
        doubly_robust.bootstrap(frame, "y", "t", X, ["matching"], draws=2)


def test_a_bootstrap_that_often_fails_gives_no_interval():
    frame = pd.concat(
        [separated(), separated().assign(t=lambda d: d["t"], x1=lambda d: d["x1"] + 0.5)], ignore_index=True
    )
    frame.loc[[9, 10], "t"] = [1, 0]
    table = doubly_robust.bootstrap(
        frame, "y", "t", ["x1"], ["inverse probability weighting (Hájek)"], draws=60
    )
    assert table["failed_draws"].iloc[0] > 3
    assert np.isnan(table["ci_low"].iloc[0])


def test_doubly_robust_survives_a_wrong_outcome_model():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    t = (rng.random(20_000) < 1 / (1 + np.exp(-x))).astype(int)
    frame = pd.DataFrame({"x1": x, "t": t, "y": np.exp(x) + t})
    robust, imputed = (
        f(frame, "y", "t", ["x1"]) for f in (doubly_robust.aipw, doubly_robust.regression_imputation)
    )
    assert abs(robust.estimate - 1) < 0.15 < abs(imputed.estimate - 1)


def test_the_supported_work_experiment_by_weights():
    frame = supported_work()
    e = weighting.entropy_balanced(frame, "re78", "treat", COVARIATES)
    assert e.estimate == pytest.approx(1795.01415, abs=1e-3)  # R, M-estimation
    assert e.standard_error == pytest.approx(668.81628, abs=1e-3)
    assert doubly_robust.aipw(frame, "re78", "treat", COVARIATES).estimate == pytest.approx(
        1797.45464, abs=1e-3
    )


def test_all_estimators_stand_beside_the_experiment():
    frame = supported_work()
    table = estimators.compare_estimators(
        frame, "re78", "treat", COVARIATES, baseline="re75", benchmark=1794.3424
    )
    assert len(table) == 15 and table["covers_benchmark"].all()
    table = table.set_index("estimator")
    assert table.loc["gain score", "estimate"] == pytest.approx(1529.1961, abs=1e-3)
    assert "participants left out" in table.loc["coarsened exact matching", "note"]
    assert table.loc["difference in means", "estimand"] == "association"


def test_an_estimator_without_an_answer_keeps_its_row_and_says_why():
    table = estimators.compare_estimators(separated(), "y", "t", ["x1"]).set_index("estimator")
    row = table.loc["inverse probability weighting"]
    assert np.isnan(row["estimate"]) and "apart perfectly" in row["note"]
    assert np.isfinite(table.loc["difference in means", "estimate"])
