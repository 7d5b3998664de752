from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import abadie_imbens, balance, matching, strata
from trial import selected

X = ["x1", "x2"]


def tiny() -> pd.DataFrame:
    """Return two participants and four comparison people on one covariate, with a tie between rows 2 and 3."""
    return pd.DataFrame({"y": [10.0, 20, 1, 2, 3, 4], "t": [1, 1, 0, 0, 0, 0], "x1": [0.1, 1, 0, 0, 0.9, 2]})


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["propensity", "mahalanobis"]),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0.05, 0.3]),
)
def test_every_constraint_holds_on_any_data(seed, distance, ratio, replacement, exact, caliper):
    frame = selected(150, seed=seed)
    rules = {
        "distance": distance,
        "ratio": ratio,
        "replacement": replacement,
        "exact": ["group"] if exact else [],
    }
    if distance == "propensity":
        rules["caliper"] = caliper
    else:
        rules["covariate_calipers"] = {"x1": 1.0}
    if not replacement and ratio * frame["t"].sum() > (frame["t"] == 0).sum():
        rules["ratio"] = 1
    found = matching.nearest_neighbour(frame, "t", X, **rules)
    report = matching.audit(frame, "t", X, found)
    assert report["held"].all(), report[~report["held"]].to_string()
    assert len(report) >= 7 + exact


def test_the_audit_catches_a_broken_match():
    frame = selected(200, seed=1)
    found = matching.nearest_neighbour(frame, "t", X, exact=["group"], caliper=0.1)
    broken = found.pairs.copy()
    first = broken["treated"].iloc[0]
    wrong = frame[(frame["t"] == 0) & (frame["group"] != frame.loc[first, "group"])].index
    spare = next(i for i in wrong if i not in set(broken["comparison"]))
    broken.loc[broken["treated"] == first, "comparison"] = spare
    report = matching.audit(frame, "t", X, replace(found, pairs=broken)).set_index("constraint")
    assert not report.loc["exact on group", "held"]
    assert not report.loc["weights follow from the pairs", "held"]
    fewer = replace(found, pairs=found.pairs.iloc[1:], unmatched=(*found.unmatched, first))
    report = matching.audit(frame, "t", X, fewer).set_index("constraint")
    assert not report.loc["left out only when nobody was left", "held"]


def test_ties_are_settled_by_rule_and_reported():
    found = matching.nearest_neighbour(tiny(), "t", ["x1"], distance="mahalanobis")
    # Rows 2 and 3 are equally near and lie below row 0: the later one is its neighbour in order of score.
    assert found.pairs.set_index("treated")["comparison"].to_dict() == {0: 3, 1: 4}
    assert "depends on the order of the file" in found.ties.message
    assert found.ties.n_treated_tied == 1
    effect = matching.matched_effect(tiny(), "y", "t", found)
    assert effect.estimate == pytest.approx((10 + 20) / 2 - (2 + 3) / 2)
    assert effect.detail["estimate_other_ties"] == pytest.approx((10 + 20) / 2 - (1 + 3) / 2)
    untied = matching.nearest_neighbour(
        tiny().assign(x1=[0.1, 1, 0, -0.5, 0.9, 2]), "t", ["x1"], distance="mahalanobis"
    )
    assert untied.ties is None


def test_a_caliper_leaves_people_out_and_changes_the_estimand():
    frame = selected(300, seed=2)
    whole = matching.nearest_neighbour(frame, "t", X, replacement=True)
    part = matching.nearest_neighbour(frame, "t", X, replacement=True, caliper=0.001)
    assert not whole.unmatched and part.unmatched
    assert matching.matched_effect(frame, "y", "t", whole).estimand == "ATT"
    assert matching.matched_effect(frame, "y", "t", part).estimand == "ATM"


def test_matching_removes_what_selection_put_in():
    frame = selected(1500, effect=1.0, seed=4)
    naive = frame.groupby("t")["y"].mean().diff().iloc[1]
    found = matching.nearest_neighbour(frame, "t", X, replacement=True)
    estimates = [
        matching.matched_effect(frame, "y", "t", found, X, a).estimate
        for a in ("covariates", "g-computation")
    ]
    estimates.append(abadie_imbens.abadie_imbens(frame, "y", "t", X, 1, bias_adjusted=True).estimate)
    estimates.append(
        strata.stratified_effect(
            frame, "y", "t", strata.subclassify(frame, "t", X, 8), X, "covariates"
        ).estimate
    )
    assert naive > 2.5
    assert np.abs(np.array(estimates) - 1).max() < 0.25
    table = balance.balance_table(frame, "t", X, found.weights)
    assert table["standardized_difference"].abs().max() < 0.1


def test_abadie_imbens_does_not_depend_on_row_order():
    frame = selected(200, seed=6).round(1)
    a = abadie_imbens.abadie_imbens(frame, "y", "t", X, 2)
    b = abadie_imbens.abadie_imbens(frame.sample(frac=1, random_state=1), "y", "t", X, 2)
    assert (a.estimate, a.standard_error) == pytest.approx((b.estimate, b.standard_error))


def test_coarsened_exact_matching_agrees_within_strata():
    frame = selected(400, seed=7).assign(flag=lambda d: (d["group"] == 0).astype(int))
    found = strata.coarsened_exact(frame, "t", ["x1", "flag"], bins={"x1": 5})
    kept = frame.assign(s=found.stratum).dropna(subset="s")
    assert (kept.groupby("s")["flag"].nunique() == 1).all()
    assert (kept.groupby("s")["t"].nunique() == 2).all()
    width = (frame["x1"].max() - frame["x1"].min()) / 5
    assert (kept.groupby("s")["x1"].agg(np.ptp) <= width + 1e-9).all()
    assert (
        balance.balance_table(frame, "t", ["flag"], found.weights)["standardized_difference"].abs().max()
        < 1e-9
    )


def test_wrong_requests_say_what_is_valid():
    frame = selected(60)
    with pytest.raises(SectorbookError, match="Did you mean 'propensity'"):
        matching.nearest_neighbour(frame, "t", X, distance="propensty")
    with pytest.raises(SectorbookError, match="use covariate_calipers"):
        matching.nearest_neighbour(frame, "t", X, distance="mahalanobis", caliper=0.2)
    with pytest.raises(SectorbookError, match="No participant has a match"):
        matching.nearest_neighbour(frame.assign(id=np.arange(60)), "t", X, exact=["id"])
    with pytest.raises(SectorbookError, match="index first"):
        matching.nearest_neighbour(pd.concat([frame, frame]), "t", X)
    found = matching.nearest_neighbour(frame, "t", X)
    with pytest.raises(SectorbookError, match="Name covariates"):
        matching.matched_effect(frame, "y", "t", found, X)
