"""Quarterly earnings over time, kinds of standard errors and looks at subgroups: by hand, by enumeration, and in chapter 09."""

import re
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sectorbook import paths
from sectorbook.errors import SectorbookError
from sectorbook.local import files
from sectorbook.measures import (
    clusters,
    experiments,
    multiplicity,
    staggered,
    worker_outcomes,
    worker_panel,
    worker_trial,
)
from sectorbook.measures.worker_outcomes import AFTER, BEFORE
from test_workers import number, rows, run, texts

OUTCOME, COVARIATES = "earnings_year_after_usd", ["earnings_early_usd", "age_at_entry", "female"]
DRAWN = 0.02  # 4,999 redrawn assignments: three standard errors of a share near a third
EXACT = 1e-9


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """The demonstration's people, prepared."""
    return worker_outcomes.prepared(
        files.read(paths.local("demonstration")).frames["participants"], 14580, 5140
    )


@pytest.fixture(scope="module")
def sample(people: pd.DataFrame) -> pd.DataFrame:
    """Those of them with the outcome and the covariates known."""
    return worker_trial.analysed(people, OUTCOME, COVARIATES[:2])


# -- kinds of standard errors ---------------------------------------------------------------------------------------


def test_clusters_stand_beside_hc2_and_the_bootstrap_says_when_they_are_too_few(sample: pd.DataFrame) -> None:
    table = worker_trial.standard_errors(sample, OUTCOME, COVARIATES, True, 99, 1)
    assert list(table.se_method.str[:3]) == ["HC2", "HC3", "CR2", "CR2"] and set(table.estimand) == {"ITT"}
    assert table.estimate.round(6).nunique() == 1, "one estimate, four standard errors"
    plain = experiments.ancova(sample, OUTCOME, "treated", COVARIATES)
    assert table.standard_error[0] == plain.standard_error < table.standard_error[1]
    x = np.column_stack([np.ones(len(sample)), sample[["treated", *COVARIATES]].astype(float)])
    y = sample[OUTCOME].to_numpy()
    for row, column in ((2, "site"), (3, "cohort")):
        found = clusters.cluster_robust(y, x, sample[column].to_numpy(), "CR2", np.eye(5)[1])
        assert table.standard_error[row] == pytest.approx(found.standard_error, rel=EXACT)
        count = sample[column].nunique()
        assert table.clusters[row] == count and table.p_wild_least[row] == 2 / 2**count
    assert table.p_wild[2] == 0.25, "with three sites no effect can give less"
    assert worker_trial.shakiest(table).together == "people of one site"


def test_people_whose_site_is_not_known_are_no_site(sample: pd.DataFrame) -> None:
    site = sample["site"].where(np.arange(len(sample)) > 0, worker_outcomes.NOT_RECORDED)
    table = worker_trial.standard_errors(
        sample.assign(site=site, cohort="one"), OUTCOME, COVARIATES, False, 99, 1
    )
    assert list(table.se_method) == ["HC2", "HC3"] and set(table.estimand) == {"association"}
    none = worker_trial.shakiest(table)
    assert pd.isna(none.clusters) and none.behind == 0


def test_very_large_clusters_take_cr1_and_say_so(
    sample: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_trial, "LARGEST_CLUSTER", 100)
    table = worker_trial.standard_errors(sample, OUTCOME, COVARIATES, True, 99, 1)
    assert table.se_method[2].startswith("CR1") and table.se_method[3].startswith("CR2")


# -- looks at subgroups -----------------------------------------------------------------------------------------------


def _t(y: np.ndarray, t: np.ndarray) -> float:
    one, two = y[t == 1], y[t == 0]
    return abs(one.mean() - two.mean()) / np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))


def test_westfall_young_of_groups_is_the_enumeration_of_all_lots() -> None:
    frame = pd.DataFrame(
        {"y": [9.0, 3, 8, 7, 5, 2, 4, 9, 6, 1, 5, 3], "t": [1, 1, 1, 0, 0, 0] * 2, "g": ["a"] * 6 + ["b"] * 6, "s": "x"}
    )  # fmt: skip
    lots = []
    for name in "ab":
        y = frame.y[frame.g == name].to_numpy()
        lots.append([_t(y, np.isin(range(6), chosen).astype(int)) for chosen in combinations(range(6), 3)])
    observed = np.array([_t(part.y.to_numpy(), part.t.to_numpy()) for _, part in frame.groupby("g")])
    first, second = np.argsort(-observed)
    highest = [max(pair) for pair in product(*lots)]
    expected = np.mean(np.array(highest) >= observed[first] - EXACT)
    last = max(expected, np.mean(np.array(lots[second]) >= observed[second] - EXACT))
    table = multiplicity.westfall_young_groups(frame, "y", "t", "g", "s", draws=4999, seed=3)
    assert table.p_adjusted[first] == pytest.approx(expected, abs=DRAWN)
    assert table.p_adjusted[second] == pytest.approx(last, abs=DRAWN)
    assert (table.p_value <= table.p_adjusted).all() and expected > table.p_value[first]
    with pytest.raises(SectorbookError, match="Group 'b' of 'g' needs two people"):
        multiplicity.westfall_young_groups(frame[:8], "y", "t", "g", "s")


def test_lots_are_redrawn_within_sites() -> None:
    """Where a site has one group only, no other lot was possible there, and nothing else can be drawn."""
    frame = pd.DataFrame({"y": np.arange(8.0), "t": [1] * 4 + [0] * 4, "g": "a", "s": ["n"] * 4 + ["m"] * 4})
    table = multiplicity.westfall_young_groups(frame, "y", "t", "g", "s", draws=99)
    assert table.p_adjusted[0] == 1


# -- two clocks -----------------------------------------------------------------------------------------------------


def test_difference_in_differences_by_hand_and_only_of_those_known_throughout(people: pd.DataFrame) -> None:
    frame = worker_panel.panel(people)
    last = frame.quarter.max()
    window = [*BEFORE, *AFTER[:last]]
    whole = people[people[window].notna().all(axis=1)]
    assert frame.id.nunique() == len(whole) and last < 8, "quarters most records lack are not in the window"
    change = whole[AFTER[:last]].mean(axis=1) - whole[BEFORE].mean(axis=1)
    sides = change.groupby(whole.treated).agg(["mean", "var", "size"])
    (found,) = worker_panel.difference_in_differences(frame, True).itertuples()
    assert found.estimate == pytest.approx(sides["mean"][1] - sides["mean"][0], rel=EXACT)
    # With two averages a person the clustered error is Neyman's, but for CR1's factors of about one.
    neyman = np.sqrt((sides["var"] / sides["size"]).sum())
    assert found.standard_error == pytest.approx(neyman, rel=0.01)
    assert (found.n_treated, found.n_comparison) == (sides["size"][1], sides["size"][0])
    assert not re.search(r"\d{2}", found.se_method), "the name of a method does not tell how many people"
    lifted = frame.assign(earnings=frame.earnings + 500 * frame.begun)
    (more,) = worker_panel.difference_in_differences(lifted, False).itertuples()
    assert more.estimate == pytest.approx(found.estimate + 500) and more.estimand == "ATT"


def test_an_event_study_is_the_gap_less_the_gap_a_year_before_entry(people: pd.DataFrame) -> None:
    frame = worker_panel.panel(people)
    means = frame.groupby(["quarter", "treated"]).earnings.mean().unstack()
    gap = means[1] - means[0]
    events, test = worker_panel.event_study(frame, True)
    assert list(events.period) == sorted(frame.quarter.unique())
    assert events.estimate.to_numpy() == pytest.approx((gap - gap[-4]).to_numpy(), abs=1e-6)
    assert events.ci_low.isna().to_numpy().tolist() == (events.period == -4).tolist()
    bent = frame.assign(earnings=frame.earnings + 400 * frame.quarter * frame.treated)
    assert worker_panel.event_study(bent, True)[1]["p_value"] < 1e-6 < test["p_value"]


def test_each_quarter_of_entry_has_its_own_comparison(people: pd.DataFrame) -> None:
    """Oracle: `group_time_effects`, held to published figures elsewhere, on one quarter of entry alone."""
    known = people[people[[*BEFORE, *AFTER]].notna().all(axis=1)]
    found, wide = worker_panel.by_entry(known), worker_panel.cohorts(known)
    cohort = int(wide.entered.min())
    cells = found.table[found.table.cohort == cohort].set_index("period")
    part = wide[wide.entered == cohort].rename_axis("person")
    long = (
        part[[cells.index[0] - 1, *cells.index]]
        .melt(ignore_index=False, var_name="q", value_name="usd")
        .dropna()
    )
    long = long.astype({"q": int, "usd": float}).reset_index()
    started = pd.Series(np.where(part.treated == 1, cohort, np.nan), part.index)
    expected = staggered.group_time_effects(
        long.assign(first=long.person.map(started)), "usd", "person", "q", "first"
    )
    expected = expected.table.set_index("period")
    assert len(cells) > 12 and list(cells.index) == list(expected.index)
    for column in ("estimate", "n_treated", "n_comparison"):
        assert cells[column].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=1e-6), column
    errors = np.sqrt((found.influence[:, found.table.cohort == cohort] ** 2).sum(axis=0)) / len(known)
    assert errors == pytest.approx(expected.standard_error.to_numpy(), rel=1e-6)


def test_cohorts_are_put_together_by_their_people_and_lags_count_quarters(people: pd.DataFrame) -> None:
    found = worker_panel.by_entry(people)
    overall, since = worker_panel.put_together(found, True)
    table = found.table.assign(lag=found.table.period - found.table.cohort)
    size = (
        people[people.treated == 1]
        .groupby(people.entry_date.dt.year * 4 + people.entry_date.dt.quarter)
        .size()
    )
    weight = table.cohort.map(size)
    after = table.lag >= 0
    by_hand = np.average(table.estimate[after], weights=weight[after])
    assert overall.estimate[0] == pytest.approx(by_hand, rel=EXACT)
    for lag in (-1, 0, 4):
        part = table.lag == lag
        row = since.set_index("since_entry").loc[lag]
        assert row.estimate == pytest.approx(
            np.average(table.estimate[part], weights=weight[part]), rel=EXACT
        )
        assert row.n_treated == table.n_treated[part].sum()
    assert 1 not in set(since.since_entry), "quarters known for those who left soonest alone are left out"
    assert overall.ci_low[0] > 0


def test_why_there_is_no_answer_is_said(people: pd.DataFrame) -> None:
    one = people.assign(entry_date=people.entry_date.min())
    alone = people[people.treated == 1]
    late = people.assign(**dict.fromkeys(AFTER, np.nan))
    early = people.assign(**dict.fromkeys(BEFORE, np.nan))
    for frame, reason in (
        (people.iloc[:0], "nobody is on file"), (alone, "no comparison group"), (late, "after exit"), (early, "before entry"),
    ):  # fmt: skip
        assert reason in worker_panel.what_is_missing(frame) == worker_panel.why_not_staggered(frame)
        assert worker_panel.panel(frame).empty
        assert worker_panel.summary(
            worker_panel.difference_in_differences(worker_panel.panel(frame), True)
        ).empty
        assert worker_panel.put_together(worker_panel.by_entry(frame), True)[1].empty
    assert "in one quarter" in worker_panel.why_not_staggered(one)
    assert worker_panel.what_is_missing(one) == ""
    few = people.groupby([people.entry_date.dt.to_period("Q"), "treated"]).head(8)
    assert "fewer than two quarters" in worker_panel.why_not_staggered(few)


# -- the chapter ----------------------------------------------------------------------------------------------------


def test_the_chapter_without_the_demonstration_says_what_is_missing(home: Path, reports: Path) -> None:
    ledger = run("san-francisco", demonstration=False)
    told = [t for t in texts(ledger, "sentence") if "cannot be told: nobody is on file" in t]
    assert len(told) == 2 and rows(ledger, "over_time") == rows(ledger, "standard_errors") == []
    assert number(ledger, "did")["value"] is None
