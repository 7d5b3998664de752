"""Estimates from samples against R's `survey` on the California school data, and small samples worked by hand."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sectorbook.errors import SectorbookError
from sectorbook.measures import (
    survey,
    survey_models,
    survey_replicates,
    survey_shares,
    survey_tables,
    survey_weights,
)
from shared import SHARED, needs_shared

# The same formulas agree to 1e-11.
SAME_FORMULA = 1e-8
# R stops raking calibration at 1e-7 of the known totals, this library at 1e-9.
STOPPING_RULE = 1e-7
# R stops a logistic fit when the deviance settles to 1e-8, and takes the weights of the step before the last for its
# standard errors; with those in place of the settled ones they agree to 1e-14.
EARLY_STOP = 1e-4
# Standard errors that are 0 in theory come out near the rounding of R's totals.
ZERO_SE = 1e-8


@pytest.fixture(scope="module")
def oracle():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).resolve().parents[1] / "benchmarks")
        yield importlib.import_module("oracle_survey")


@needs_shared
def test_every_figure_of_r_is_reproduced(oracle):
    rows, compared = set(), 0
    for row, label, quantity, expected, obtained in oracle.figures():
        tolerance = SAME_FORMULA
        if ",raking)" in label or ",logit)" in label:
            tolerance = STOPPING_RULE
        if "quasibinomial" in label and quantity == "se":
            tolerance = EARLY_STOP
        assert obtained == pytest.approx(expected, rel=tolerance, abs=ZERO_SE), (label, quantity)
        rows.add(row)
        compared += 1
    assert rows == set(oracle.gold().index) and len(rows) == 316
    assert compared == 668


@needs_shared
@pytest.mark.parametrize(
    ("kind", "how", "file"),
    [
        ("clus1", "rake(stype,sch.wide)", "weights_clus1_rake.csv"),
        ("srs", "calibrate(stype+api99,raking)", "weights_srs_cal_raking.csv"),
        ("strat", "calibrate(stype+api99,linear)", "weights_strat_cal_linear.csv"),
    ],
)
def test_every_weight_equals_r(oracle, kind, how, file):
    expected = pd.read_csv(SHARED / "reference" / "gold" / file)["w"].to_numpy()
    assert oracle.calibrated(oracle.drawn(kind), how).weight == pytest.approx(expected, rel=STOPPING_RULE)


@needs_shared
def test_the_order_of_rows_changes_nothing(oracle):
    frame = oracle.sample("strat").assign(wide=lambda f: (f["sch.wide"] == "Yes").astype(float))
    arguments = {"weight": "pw", "strata": "stype", "population": ["fpc"]}
    for changed in (frame, frame.sample(frac=1, random_state=3)):
        design = survey.survey_design(changed, **arguments)
        table = survey_models.regression(design, "wide", ["meals", "stype"], "logistic")
        found = survey_replicates.replicate_estimate(
            survey_replicates.jackknife(design), lambda f, w: w @ f["api00"] / w.sum()
        )
        if changed is frame:
            first = table, found
    pd.testing.assert_frame_equal(table, first[0], rtol=1e-9)
    pd.testing.assert_frame_equal(found, first[1], rtol=1e-9)
    assert table["term"].tolist() == ["intercept", "meals", "stype = H", "stype = M"]


def test_independence_needs_two_answers():
    with pytest.raises(SectorbookError, match="'y' has 1 different answers"):
        survey_shares.independence_test(simple(["a", "a", None], z=["x", "y", "y"]), "y", "z")


# The two-stage sample `apiclus2` of R's survey package: 40 districts, then up to 5 schools of each. Districts of
# 5 schools or fewer are in it whole; of the others, these schools (snum) were drawn.
DISTRICTS = [
    15, 63, 83, 117, 132, 152, 173, 176, 198, 228, 264, 295, 302, 403, 452, 456, 480, 523, 534, 549, 552, 574, 674,
    679, 687, 701, 711, 719, 742, 768, 795,
]  # fmt: skip
SCHOOLS = [
    841, 843, 837, 840, 835, 2262, 2283, 2259, 2277, 2294, 4429, 4446, 4430, 4444, 4434, 5662, 5664, 5663, 5661, 5660,
    3779, 3777, 3783, 3758, 3761, 254, 248, 247, 251, 258, 5482, 5480, 5478, 5479, 5477, 5787, 5781, 5782, 5789, 5784,
    535, 531, 533, 530, 532,
]  # fmt: skip


@needs_shared
def test_two_stages_equal_the_figures_r_prints_for_apiclus2(oracle):
    pop = oracle.population().assign(districts=757)
    pop["schools"] = pop.groupby("dnum")["snum"].transform("size")
    frame = pop[pop["dnum"].isin(DISTRICTS) | pop["snum"].isin(SCHOOLS)]
    assert len(frame) == 126
    two = survey.survey_design(frame, clusters=["dnum", "snum"], population=["districts", "schools"])
    # R: svymean(~api00, dclus2) 670.81 (30.099), svytotal(~enroll, dclus2, na.rm = TRUE) 2639273 (799638).
    api = survey.mean(two, "api00").iloc[0]
    assert (round(api["estimate"], 2), round(api["se"], 3)) == (670.81, 30.099)
    enroll = survey.total(two, "enroll").iloc[0]
    assert (round(enroll["estimate"]), round(enroll["se"]), enroll["n_missing"]) == (2639273, 799638, 6)
    # With replacement: svymean(~api00 + api99) 670.81 (30.712), 645.03 (30.308).
    again = survey.survey_design(frame.assign(pw=two.weight), weight="pw", clusters=["dnum", "snum"])
    found = [survey.mean(again, v).iloc[0] for v in ("api00", "api99")]
    assert [(round(r["estimate"], 2), round(r["se"], 3)) for r in found] == [
        (670.81, 30.712),
        (645.03, 30.308),
    ]


def employers(answers, size=None, **columns):
    frame = pd.DataFrame({"y": answers, **columns})
    return frame.assign(N=size or 10 * len(frame))


def simple(answers, size=None, **columns):
    return survey.survey_design(employers(answers, size, **columns), population=["N"])


def test_five_of_five_say_yes_and_the_interval_does_not_collapse():
    design = simple(["yes"] * 5, size=10_000_000)
    table = survey_shares.proportion(design, "y", levels=["no", "yes"]).set_index("level")
    exact = stats.binomtest(5, 5).proportion_ci(method="exact")  # Clopper and Pearson
    assert tuple(table.loc["yes", ["ci_low", "ci_high"]]) == pytest.approx((exact.low, exact.high), abs=1e-4)
    assert table.loc["no", "ci_low"] == 0 and table.loc["no", "ci_high"] == pytest.approx(
        1 - exact.low, abs=1e-4
    )
    wilson = survey_shares.proportion(design, "y", interval="wilson").iloc[0]
    t = stats.t.ppf(0.975, 4)
    assert wilson["ci_low"] == pytest.approx(5 / (5 + t**2), abs=1e-4)


def test_asking_everyone_leaves_no_doubt():
    row = (
        survey_shares.proportion(simple(["yes", "no", "yes", "yes", "no"], size=5), "y")
        .set_index("level")
        .loc["yes"]
    )
    assert row[["estimate", "se", "ci_low", "ci_high"]].tolist() == [0.6, 0, 0.6, 0.6]


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 30), st.data(), st.sampled_from(["korn_graubard", "wilson"]))
def test_intervals_hold_the_share_and_stay_within_0_and_1(n, data, kind):
    hits = data.draw(st.integers(0, n))
    size = data.draw(st.integers(n + 1, 10 * n))
    design = simple(["yes"] * hits + ["no"] * (n - hits), size)
    for _, row in survey_shares.proportion(design, "y", interval=kind, levels=["yes", "no"]).iterrows():
        assert 0 <= row["ci_low"] <= row["estimate"] <= row["ci_high"] <= 1
        assert row["ci_low"] < row["ci_high"]


@pytest.mark.parametrize(("n", "size"), [(5, 12), (5, 10_000)])
def test_korn_graubard_covers_at_n_5(n, size):
    """Draw every possible number of yes answers: the interval covers the truth with at least its confidence."""
    rows = {
        k: survey_shares.proportion(simple([1.0] * k + [0.0] * (n - k), size), "y", levels=[0.0, 1.0]).iloc[1]
        for k in range(n + 1)
    }
    for yes in range(0, size + 1, max(1, size // 40)):
        chance = stats.hypergeom.pmf(np.arange(n + 1), size, yes, n)
        covered = [
            row["ci_low"] <= yes / size + 1e-9 and yes / size - 1e-9 <= row["ci_high"]
            for row in rows.values()
        ]
        assert chance @ covered >= 0.95


def test_the_variance_is_that_of_every_possible_sample():
    """Over all samples of 3 of 6 the mean is unbiased, and so is its variance."""
    y = np.array([2.0, 3, 5, 7, 11, 13])
    found = [
        survey.mean(simple(y[list(rows)], size=6), "y").iloc[0]
        for rows in itertools.combinations(range(6), 3)
    ]
    estimates = np.array([row["estimate"] for row in found])
    assert estimates.mean() == pytest.approx(y.mean())
    assert np.mean([row["se"] ** 2 for row in found]) == pytest.approx(estimates.var())


def test_two_stage_variance_is_that_of_every_possible_sample():
    """All samples of 2 of 3 plants and 2 jobs of each: the total's variance estimator is unbiased."""
    plants = {"a": [1.0, 4, 6], "b": [2.0, 2, 9], "c": [5.0, 7, 7]}
    estimates, variances = [], []
    for two in itertools.combinations(plants, 2):
        for jobs in itertools.product(*(itertools.combinations(plants[p], 2) for p in two)):
            rows = [(p, j, y, 3, 3) for p, ys in zip(two, jobs, strict=True) for j, y in enumerate(ys)]
            frame = pd.DataFrame(rows, columns=["plant", "job", "y", "plants", "jobs"])
            design = survey.survey_design(frame, clusters=["plant", "job"], population=["plants", "jobs"])
            row = survey.total(design, "y").iloc[0]
            estimates.append(row["estimate"])
            variances.append(row["se"] ** 2)
    assert np.mean(estimates) == pytest.approx(43)
    assert np.mean(variances) == pytest.approx(np.var(estimates))


def test_missing_answers_are_counted_not_zero():
    design = simple([1.0, 3.0, None, 5.0], group=["a", "a", "b", "b"])
    row = survey.mean(design, "y").iloc[0]
    assert (row["estimate"], row["n"], row["n_missing"]) == (3, 3, 1)
    by = survey.mean(simple([1.0, 3.0, None, None], group=["a", "a", "b", "b"]), "y", by="group").set_index(
        "group"
    )
    assert np.isnan(by.loc["b", "estimate"]) and by.loc["b", "n_missing"] == 2
    totals = survey.total(
        simple([1.0, 3.0, None, None], group=["a", "a", "b", "b"]), "y", by="group"
    ).set_index("group")
    assert totals.loc["a", "estimate"] == 40 and np.isnan(totals.loc["b", "estimate"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": "pv"}, r"Unknown survey column 'pv'\. Did you mean 'pw'"),
        ({}, "Give the column of weights"),
        ({"weight": "zero"}, r"Row 1, column 'zero': found 0.0; a weight is above 0"),
        ({"population": ["few"]}, r"Row 0, column 'few': found 2.0; .* at least the 3 units"),
        ({"population": ["pw"]}, "more than one population to the same stratum"),
        ({"weight": "pw", "strata": "hole"}, "column 'hole': found nothing"),
        ({"weight": "pw", "population": ["N", "N"]}, "2 population columns for 1 stages"),
    ],
)
def test_a_design_that_cannot_be_is_named(arguments, message):
    frame = pd.DataFrame(
        {"y": [1.0, 2, 3], "pw": [3.0, 4, 5], "zero": [1, 0, 1], "few": 2, "N": 9, "hole": ["a", None, "a"]}
    )
    with pytest.raises(SectorbookError, match=message):
        survey.survey_design(frame, **arguments)


def test_a_stratum_of_one_stops_unless_told_what_to_do():
    frame = pd.DataFrame({"y": [1.0, 2, 9], "s": ["a", "a", "b"], "N": [10, 10, 5]})
    arguments = {"strata": "s", "population": ["N"]}
    with pytest.raises(SectorbookError, match="one unit drawn of several"):
        survey.mean(survey.survey_design(frame, **arguments), "y")
    ses = [
        survey.mean(survey.survey_design(frame, **arguments, single_unit=rule), "y")["se"][0]
        for rule in ("certainty", "centre")
    ]
    assert 0 < ses[0] < ses[1]
    whole = survey.survey_design(frame.assign(N=[10, 10, 1]), **arguments)
    assert survey.mean(whole, "y")["se"][0] > 0


def test_weights_for_nonresponse_stand_for_their_class():
    sample_frame = pd.DataFrame(
        {"w": [2.0, 2, 3, 3], "size": ["s", "s", "l", "l"], "ok": [True, False, True, True]}
    )
    raised = survey_weights.nonresponse_weights(sample_frame, "w", "ok", ["size"])
    assert raised["w"].tolist() == [4, 3, 3] and raised["weight_base"].tolist() == [2, 3, 3]
    assert survey_weights.response_rates(sample_frame, "ok", by="size")["response_rate"].tolist() == [1, 0.5]
    assert survey_weights.response_rates(sample_frame, "ok", weight="w")["response_rate"].tolist() == [0.8]
    with pytest.raises(SectorbookError, match="Nobody answered in size = s"):
        survey_weights.nonresponse_weights(
            sample_frame.assign(ok=[False, False, True, True]), "w", "ok", ["size"]
        )


def test_calibration_that_cannot_be_is_named():
    design = simple([1.0, 2, 3, 4], size=40, kind=["a", "a", "b", "b"], other=["x", "y", "x", "y"])
    with pytest.raises(SectorbookError, match=r"Margin 'kind': Unknown level 'b'"):
        survey_weights.rake(design, {"kind": {"a": 40}})
    with pytest.raises(SectorbookError, match="nobody answered in c"):
        survey_weights.rake(design, {"kind": {"a": 20, "b": 10, "c": 10}})
    with pytest.raises(SectorbookError, match="different populations: kind 40, other 30"):
        survey_weights.rake(design, {"kind": {"a": 20, "b": 20}, "other": {"x": 20, "y": 10}})
    with pytest.raises(SectorbookError, match="weights fall to 0 or below"):
        survey_weights.calibrate(design, {"kind": {"a": 20, "b": 20}, "y": 155})
    with pytest.raises(SectorbookError, match="no row for kind = b"):
        survey_weights.post_stratify(design, pd.DataFrame({"kind": ["a"], "population": [40]}))
    with pytest.raises(SectorbookError, match="two with 1 between them"):
        survey_weights.calibrate(design, {"y": 115}, "logit")
    with pytest.raises(SectorbookError, match="did not settle"):
        survey_weights.calibrate(design, {"kind": {"a": 20, "b": 20}, "y": 155}, "logit", bounds=(0.5, 2))
    held = survey_weights.calibrate(design, {"kind": {"a": 20, "b": 20}, "y": 110}, "logit", bounds=(0.5, 2))
    assert (
        held.weight.min() >= 5
        and held.weight.max() <= 20
        and held.weight @ design.frame["y"] == pytest.approx(110)
    )
    positive = survey_weights.calibrate(design, {"kind": {"a": 20, "b": 20}, "y": 115}, "raking")
    assert positive.weight.min() > 0 and positive.weight @ design.frame["y"] == pytest.approx(115)


def test_grouped_percentages_are_not_sums_of_rounded_ones():
    answers = ["agree"] * 1 + ["strongly agree"] * 1 + ["neither"] * 1 + ["disagree"] * 3
    design = simple([*answers, None], size=70)
    scale = ["strongly disagree", "disagree", "neither", "agree", "strongly agree"]
    table = survey_tables.likert_table(design, ["y"], scale, {"agree (net)": ["agree", "strongly agree"]})
    by = table.set_index("answer")
    assert by.loc["agree (net)", "percent"] == pytest.approx(100 / 3)
    assert round(by.loc["agree", "percent"]) + round(by.loc["strongly agree", "percent"]) == 34
    assert by.loc["strongly disagree", "percent"] == 0 and by.loc["strongly disagree", "ci_high"] > 0
    assert (by["n"] == 6).all() and (by["n_missing"] == 1).all()
    assert by.loc["agree (net)", "ci_high"] - by.loc["agree (net)", "ci_low"] > by.loc["agree", "percent"]
    with pytest.raises(SectorbookError, match="Unknown answer to y 'disagree'"):
        survey_tables.likert_table(design, ["y"], ["agree", "strongly agree", "neither"], {})
    with pytest.raises(SectorbookError, match="Group 'net': Unknown answer 'yes'"):
        survey_tables.likert_table(design, ["y"], scale, {"net": ["yes"]})


def test_several_answers_keep_two_bases_apart():
    design = simple([0.0] * 4, a=[1, 1, 0, None], b=[1, None, 0, None])
    table = survey_tables.multiple_response(design, {"a": "Nurses", "b": "Aides"}).set_index("choice")
    assert table["percent"].tolist() == pytest.approx([200 / 3, 100 / 3])
    assert table["percent_of_answers"].tolist() == pytest.approx([200 / 3, 100 / 3])
    assert table["n"].tolist() == [3, 3] and table["n_missing"].tolist() == [1, 1]
    with pytest.raises(SectorbookError, match="Row 1, column 'a': found 2"):
        survey_tables.multiple_response(simple([0.0] * 2, a=[1, 2]), {"a": "Nurses"})


def test_open_answers_are_coded_by_the_codebook_only():
    answers = pd.DataFrame(
        {"respondent": [1, 2, 3, 4], "text": ["Night shifts ", "night shifts", "parking", " "]}
    )
    codebook = pd.DataFrame({"text": ["night shifts", "Night Shifts"], "code": ["schedule", "conditions"]})
    coded, uncoded = survey_tables.code_open_answers(answers, codebook)
    assert coded[["respondent", "code"]].to_numpy().tolist() == [
        [1, "schedule"], [1, "conditions"], [2, "schedule"], [2, "conditions"],
    ]  # fmt: skip
    assert uncoded.to_numpy().tolist() == [["parking", 1]]


def test_open_answers_are_shares_of_those_who_wrote_something():
    words = ["Night shifts", "night shifts ", "parking", "rents", " ", None]
    codebook = pd.DataFrame(
        {
            "text": ["night shifts", "night shifts", "parking"],
            "code": ["schedule", "conditions", "conditions"],
        }
    )
    table = survey_tables.coded_table(simple([0.0] * 6, why=words), "why", codebook)
    assert table["choice"].tolist() == ["conditions", "schedule", survey_tables.NOT_CODED]
    assert table["percent"].tolist() == pytest.approx([75, 50, 25]) and table["n"].tolist() == [4, 4, 4]
    assert not table.astype(str).isin(words[:4]).any(axis=None), "the answers themselves are not shown"
    assert survey_tables.coded_table(simple([0.0] * 2, why=[None, ""]), "why", codebook).empty


@settings(deadline=None, max_examples=30)
@given(st.integers(6, 25), st.integers(0, 2**32 - 1))
def test_the_jackknife_of_a_mean_or_total_is_the_textbook_variance(n, seed):
    """For a simple random sample the jackknife is the formula itself."""
    y = np.random.default_rng(seed).normal(size=n)
    design = simple(y, size=3 * n)
    replicates = survey_replicates.jackknife(design)
    columns = ["estimate", "se", "ci_low", "ci_high"]
    for statistic, estimate in (
        (lambda frame, w: w @ frame["y"] / w.sum(), survey.mean),
        (lambda frame, w: w @ frame["y"], survey.total),
    ):
        found = survey_replicates.replicate_estimate(replicates, statistic).iloc[0]
        formula = estimate(design, "y").iloc[0]
        assert found[columns].to_numpy(float) == pytest.approx(formula[columns].to_numpy(float), rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(4, 25), st.integers(0, 2**32 - 1))
def test_a_regression_on_a_group_is_the_difference_of_its_means(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"y": rng.normal(size=2 * n), "g": ["a", "b"] * n, "w": rng.uniform(1, 9, 2 * n)})
    design = survey.survey_design(frame, weight="w")
    slope = survey_models.regression(design, "y", ["g"]).iloc[1]
    means = survey.difference(design, "y", "g", "b", "a").iloc[0]
    columns = ["estimate", "se", "t", "p", "df"]
    assert slope[columns].to_numpy(float) == pytest.approx(means[columns].to_numpy(float), rel=1e-6)
    spread = survey_models.mean_covariance(design, ["y"]).iloc[0, 0]
    assert spread == pytest.approx(survey.mean(design, "y")["se"][0] ** 2)


def test_rows_without_all_answers_are_left_out_of_a_regression_and_counted():
    frame = {"x": [1.0, 2, 3, None, 5, 6, 7], "g": ["a", "b", "a", "b", None, "a", "b"]}
    design = simple([1.0, 3, 2, 5, 4, None, 6], **frame)
    table = survey_models.regression(design, "y", ["x", "g"])
    assert table["n"].unique().tolist() == [4] and table["n_missing"].unique().tolist() == [3]
    whole = design.frame.dropna().assign(one=1.0, b=lambda f: f["g"] == "b")
    fitted = np.linalg.lstsq(whole[["one", "x", "b"]].astype(float), whole["y"], rcond=None)[0]
    assert table["estimate"].to_numpy() == pytest.approx(fitted)
    with pytest.raises(SectorbookError, match="No row has a value in all of x, z"):
        survey_models.mean_covariance(simple([1.0, 2], x=[1.0, None], z=[None, 1.0]), ["x", "z"])
    assert np.isnan(survey_models.variance(simple([1.0, None]), "y")["estimate"][0])


@pytest.mark.parametrize(
    ("outcome", "predictors", "family", "message"),
    [
        ("y", ["x"], "poisson", "Unknown family of a regression 'poisson'"),
        ("x", ["y"], "logistic", r"Row 1, column 'x': found 2; a logistic regression takes 0 and 1"),
        ("g", ["x"], "gaussian", "Column 'g' holds text"),
        ("y", ["x", "twice"], "gaussian", "These terms determine each other"),
        ("y", ["x", "twise"], "gaussian", "Unknown survey column 'twise'"),
        ("y", ["x", "z", "g", "u", "v"], "gaussian", "6 terms are more than 5 degrees of freedom allow"),
        ("y", ["x"], "logistic", "tell every answer to 'y' apart"),
    ],
)
def test_a_regression_that_cannot_be_is_named(outcome, predictors, family, message):
    columns = {"x": [1.0, 2, 3, 4, 5, 6], "g": list("aababb"), "z": [1.0, 0, 0, 1, 0, 1]}
    columns |= {"twice": [2.0, 4, 6, 8, 10, 12], "u": [0.0, 1, 0, 0, 1, 1], "v": [3.0, 1, 4, 1, 5, 9]}
    design = simple([0.0, 0, 0, 1, 1, 1], **columns)
    with pytest.raises(SectorbookError, match=message):
        survey_models.regression(design, outcome, predictors, family)


def test_a_jackknife_that_cannot_be_is_named():
    frame = pd.DataFrame({"y": [1.0, 2, 9], "s": ["a", "a", "b"], "N": [10, 10, 5]})
    lone = survey.survey_design(frame, strata="s", population=["N"])
    with pytest.raises(SectorbookError, match="one unit drawn of several; merge strata before the jackknife"):
        survey_replicates.jackknife(lone)
    whole = survey.survey_design(frame.assign(N=[10, 10, 1]), strata="s", population=["N"])
    assert survey_replicates.jackknife(whole).weights.shape == (3, 2)
    with pytest.raises(SectorbookError, match="nothing to leave out"):
        survey_replicates.jackknife(simple([1.0], size=1))
    fitted = survey_weights.calibrate(simple([1.0, 2, 3, 4], size=40), {"y": 105})
    with pytest.raises(SectorbookError, match="before calibration"):
        survey_replicates.jackknife(fitted)
    replicates = survey_replicates.jackknife(simple([1.0, 2, 3]))
    with pytest.raises(SectorbookError, match="missing in 1 of 3 replicates"):
        survey_replicates.replicate_estimate(replicates, lambda f, w: np.nan if w[0] == 0 else 1.0)
