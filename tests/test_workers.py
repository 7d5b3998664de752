"""Chapter 09 and its tables: worked by hand, against the experiment, and on whatever an initiative has on file."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from participants_files import GOOD, written
from sectorbook import disclosure, known_answers, ledgers, paths, register, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import files, templates
from sectorbook.measures import (
    comparison_study,
    published_effects,
    worker_outcomes,
    worker_panel,
    worker_standards,
    worker_tables,
    worker_trial,
    worker_weighted,
)
from sectorbook.report import book, edition, html

DOLLAR = 0.005  # published to the cent
OUTCOME, BEFORE = "earnings_year_after_usd", ["earnings_early_usd", "age_at_entry", "female"]


def run(region: str, **given: object) -> dict:
    """Run the chapter's code in this process and return its ledger."""
    cells = json.loads(paths.notebooks("09_workers.ipynb").read_text(encoding="utf-8"))["cells"]
    space: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
            if "parameters" in cell["metadata"].get("tags", []):
                assert set(given) <= set(space)
                space.update(region=region, draws=99, **given)
    return ledgers.read(warehouse.find_region(region).slug)["09_workers"]


def texts(ledger: dict, kind: str) -> list[str]:
    return [item["text"] for item in ledger["items"] if item["kind"] == kind]


def number(ledger: dict, key: str) -> dict:
    return next(i for i in ledger["items"] if i.get("key") == key)


def rows(ledger: dict, key: str) -> list[list]:
    return next(
        i["rows"] for i in ledger["items"] if i.get("address", "").endswith(f"/{key}") and "rows" in i
    )


@pytest.fixture
def invented() -> pd.DataFrame:
    """The demonstration's people, prepared."""
    people = files.read(paths.local("demonstration")).frames["participants"]
    return worker_outcomes.prepared(people, 14580, 5140)


# -- tables by hand ------------------------------------------------------------------------------------------------


def prepared(tmp_path: Path, people: list[dict]) -> pd.DataFrame:
    (tmp_path / "participants.csv").write_bytes(written([GOOD | row for row in people]))
    folder = files.read(tmp_path)
    assert not folder.problems
    return worker_outcomes.prepared(folder.frames["participants"], 14000, 5000)


def earned(before: str, after: str, household: str) -> dict:
    quarters = {f"earnings_before_{q}_usd": before for q in (1, 2, 3, 4)}
    return quarters | {f"earnings_after_{q}_usd": after for q in (1, 2, 3, 4)} | {"household_size": household}


def test_poverty_and_years_worked_by_hand(tmp_path: Path) -> None:
    people = prepared(
        tmp_path,
        [
            {"id": "out"} | earned("3000", "5000", "2"),  # 12,000 and 20,000; the line is 19,000
            {"id": "still"} | earned("3000", "4000", "2"),  # 16,000
            {"id": "never"} | earned("5000", "6000", "2"),  # was not under it
            {"id": "gap"} | earned("3000", "5000", "2") | {"earnings_after_3_usd": "999999.99"},
            {"id": "alone"} | earned("3000", "3500", "1"),  # 14,000: reaches the line of one person
        ],
    )
    assert sorted(people["out_of_poverty"].dropna()) == [0, 1, 1]
    assert people["earnings_year_after_usd"].isna().sum() == 1
    found = worker_outcomes.levels(people).set_index("indicator").loc["Moved out of poverty, by own earnings"]
    assert (found["count"], found.n, found.n_missing) == (2, 3, 2)
    assert found.share_pct == pytest.approx(200 / 3)


def test_those_who_stayed_away_and_the_comparison_group_took_no_part(tmp_path: Path) -> None:
    away = {"participated": "no", "completed": "no", "credential": "no"}
    people = prepared(
        tmp_path,
        [{"id": "a"}, {"id": "b"} | away, {"id": "c", "assigned": "comparison"}, {"id": "d", "assigned": ""}],
    )
    assert len(worker_outcomes.served(people)) == 2
    assert people["treated"].sum() == 3


def test_weights_worked_by_hand_and_none_without(tmp_path: Path) -> None:
    people = prepared(
        tmp_path,
        [
            {"id": "a", "weight": "1", "promoted": "yes"} | earned("1000", "2000", "2"),
            {"id": "b", "weight": "1", "promoted": "no"} | earned("1000", "1000", "2"),
            {"id": "c", "weight": "3", "promoted": "yes"} | earned("1000", "4000", "2"),
            {"id": "d", "weight": "9", "promoted": ""} | earned("1000", "", "2"),
        ],
    )
    table = worker_weighted.weighted(people).set_index("indicator")
    share = table.loc["Promoted within a year"]
    assert (share.unweighted, share.weighted) == pytest.approx((200 / 3, 100 * 4 / 5))
    assert (share.effective_n, share.n, share.behind) == (pytest.approx(25 / 11), 3, 1)
    change = table.loc["Annual earnings, USD"]
    assert (change.unweighted, change.weighted) == pytest.approx((16000 / 3, (4000 + 0 + 36000) / 5))
    assert change.weighted_low < change.weighted < change.weighted_high and change.behind == 3
    assert worker_weighted.weighted(people.assign(weight=np.nan)).empty


def test_a_dip_is_told_by_its_size(invented: pd.DataFrame) -> None:
    assert worker_outcomes.dip(invented)["dip"].all()
    flat = invented.assign(earnings_before_1_usd=invented[worker_outcomes.YEARS["early"]].mean(axis=1))
    assert not worker_outcomes.dip(flat)["dip"].any()


def test_negotiated_levels_are_one_for_each_rate(invented: pd.DataFrame) -> None:
    table = worker_outcomes.primary(worker_outcomes.served(invented), "2022-07-01", "2023-06-30")
    rates = worker_outcomes.rates(table)
    found = worker_outcomes.against_levels(rates, (70, 0, 60, 50, 50), 2.0)
    assert found.score_pct[0] == pytest.approx(100 * rates.value[0] / 72) and np.isnan(found.score_pct[1])
    with pytest.raises(SectorbookError, match="Give 5 negotiated levels"):
        worker_outcomes.against_levels(rates, (70,), 0.0)
    with pytest.raises(SectorbookError, match="Did you mean 'education'"):
        worker_outcomes.primary(invented, "2022-07-01", "2023-06-30", "educaton")


# -- effects --------------------------------------------------------------------------------------------------------


def test_the_trial_finds_what_was_drawn_and_every_estimate_has_its_people(invented: pd.DataFrame) -> None:
    """The demonstration lifts pay by 950 a quarter from the 4th quarter, and chances of work: about 3,000 to 4,500 a year."""
    sample = worker_trial.analysed(invented, OUTCOME, BEFORE[:2])
    table = worker_trial.effects(sample, OUTCOME, BEFORE, True, "earnings_early_usd", 99, 1)
    main = worker_trial.main_estimate(table, True)
    assert main.ci_low < 3800 < main.ci_high and main.ci_low > 0
    taken = table[table.estimand == "LATE"].iloc[0]
    assert taken.estimate > main.estimate, "not all who were offered a place took it"
    drawn = table.set_index("estimator").bootstrap_se.dropna()
    assert drawn["difference in means"] == pytest.approx(
        table.standard_error[0], rel=0.25
    )  # ninety-nine draws
    smallest = worker_trial.smallest_effect(sample, OUTCOME, BEFORE)
    assert worker_trial.power_pct(sample, OUTCOME, BEFORE, smallest) == pytest.approx(80)
    assert (table.behind == sample.treated.value_counts().min()).all()
    assert worker_trial.randomization_p(sample, OUTCOME, True, 199, 1) == pytest.approx(1 / 200)
    assert worker_trial.randomization_p(sample, OUTCOME, False, 199, 1) is None


def test_without_a_lot_the_main_estimate_is_doubly_robust_and_no_effect_of_an_offer(
    invented: pd.DataFrame,
) -> None:
    sample = worker_trial.analysed(invented, OUTCOME, BEFORE[:2])
    table = worker_trial.effects(sample, OUTCOME, BEFORE, False, "earnings_early_usd", 99, 1)
    assert "ITT" not in set(table.estimand) and len(table) == 15
    assert worker_trial.main_estimate(table, False).estimator.startswith("doubly robust")


@settings(deadline=None, max_examples=6)
@given(n=st.integers(1, 60), seed=st.integers(0, 999), by_lot=st.booleans(), one_group=st.booleans())
def test_any_part_of_a_file_has_an_answer_or_none(n: int, seed: int, by_lot: bool, one_group: bool) -> None:
    people = files.read(paths.local("demonstration")).frames["participants"].sample(n, random_state=seed)
    people = people.reset_index(drop=True).assign(site=people["site"].iloc[0])
    if one_group:
        people["assigned"] = "program"
    people = worker_outcomes.prepared(people, 14580, 5140)
    sample = worker_trial.analysed(people, OUTCOME, BEFORE[:2])
    table = worker_trial.effects(sample, OUTCOME, BEFORE, by_lot, "earnings_early_usd", 20, 1)
    main = worker_trial.main_estimate(table, by_lot)
    assert table.empty or sample.treated.value_counts().min() >= 10
    assert set(table["remark"]) <= {"", "no answer"} and (not one_group or table.empty)
    assert pd.isna(main.estimate) or np.isfinite(main.standard_error)
    for frame in (
        worker_trial.alike(sample, BEFORE), worker_trial.by_group(sample, OUTCOME, "education"),
        worker_trial.quantiles(sample, OUTCOME, 20, 1), worker_trial.dynamics(people),
        worker_trial.standard_errors(sample, OUTCOME, BEFORE, by_lot, 20, 1),
        worker_standards.summary(people, sample, BEFORE, by_lot, known_answers.attrition_boundary()).assign(behind=0),
        worker_panel.event_study(worker_panel.panel(people), by_lot)[0],
        *worker_panel.put_together(worker_panel.by_entry(people), by_lot),
    ):  # fmt: skip
        assert "behind" in frame
    worker_outcomes.changes(worker_outcomes.served(people))
    worker_outcomes.quarters(people)


def test_a_lost_person_is_counted_in_the_group_they_were_assigned_to(invented: pd.DataFrame) -> None:
    sample = worker_trial.analysed(invented, OUTCOME, BEFORE[:2])
    rated = worker_trial.attrition(invented, sample, known_answers.attrition_boundary())
    lost = 100 * (1 - len(sample) / len(invented))
    assert rated[0].overall_pct == pytest.approx(lost)
    assigned, kept = invented.treated.value_counts(), sample.treated.value_counts()
    assert worker_trial.lost(invented, sample) == (assigned - kept).min()
    assert worker_trial.attrition_words(rated) == {"cautious": "low", "optimistic": "low"}


def test_steps_whose_rule_was_not_read_are_not_rated(invented: pd.DataFrame) -> None:
    sample, limits = worker_trial.analysed(invented, OUTCOME, BEFORE[:2]), known_answers.attrition_boundary()
    table = worker_standards.summary(invented, sample, BEFORE, True, limits)
    assert (table.finding.eq("not rated") == table.rule.eq("not read")).all()
    assert list(table.finding[1:4]) == [
        "low",
        "worst measure: needs adjustment",
        "meets standards without reservations",
    ]
    assert not {"high", "moderate"} & set(table.finding[table.rule_source.str.startswith("CLEAR")])
    study = worker_standards.summary(invented, sample, BEFORE, False, limits)
    assert list(study.finding[1:4:2]) == ["asked of trials only", "meets standards with reservations"]
    apart = sample.assign(age_at_entry=sample.age_at_entry + 9 * sample.treated)
    study = worker_standards.summary(invented, apart, BEFORE, False, limits)
    assert list(study.finding[2:4]) == ["worst measure: not satisfied", "does not meet standards"]
    assert (
        worker_standards.summary(invented, sample.iloc[:0], BEFORE, True, limits)
        .finding.eq("not rated")
        .all()
    )
    assert (
        not table[["question", "looked_at", "finding"]].apply(lambda c: c.str.contains(r"\d")).any(axis=None)
    )


def test_the_experiment_the_trap_and_the_estimators() -> None:
    trial, study = known_answers.supported_work(), known_answers.panel_study()
    truth = comparison_study.benchmark(trial, study, "re78", "treat")
    assert truth.experiment == pytest.approx(1794.34, abs=DOLLAR)
    assert truth.naive == pytest.approx(-15204.78, abs=DOLLAR)
    rivals = comparison_study.compared(study, "re78", "treat", known_answers.COVARIATES, "re75", truth)
    verdicts = rivals.set_index("estimator").verdict
    assert (verdicts["difference in means"], verdicts["entropy balancing"]) == ("misleads", "in range")
    love = comparison_study.love(study, "treat", known_answers.COVARIATES, known_answers.LABELS)
    assert love.difference_after.abs().max() < 1e-6 < love.difference_before.abs().min()
    assert (
        comparison_study.rating(study, "treat", known_answers.COVARIATES).rating == "does not meet standards"
    )


def test_published_figures_stand_with_their_source() -> None:
    published = register.published()
    impacts = published_effects.impacts(published)
    assert impacts[["low", "high"]].isna().all(axis=None), "no interval was published: none is made up"
    assert set(impacts.loc[impacts.from_source_document, "value"]) == {18, 29}
    workers = published_effects.of_workers(published)
    assert workers["address"].notna()[workers.source_ids.eq("later")].all()
    assert (workers["value"].notna() | workers["note"].notna()).all()


# -- the chapter ----------------------------------------------------------------------------------------------------


def test_without_a_file_it_says_what_to_fill_in(home: Path, reports: Path) -> None:
    ledger = run("lima-oh")
    (start,) = [t for t in texts(ledger, "caveat") if "Nothing is on file" in t]
    assert "participants.csv" in start and "sectorbook new-region lima-oh" in start
    assert not any(source["synthetic"] for source in ledger["sources"])
    assert not [t for t in texts(ledger, "sentence") if re.search("nan|None|not published", t)]
    assert number(ledger, "nsw_naive")["value"] == pytest.approx(-15204.8), "what needs no file is there"
    assert "Nothing is on file in participants.csv" in html.render(edition.make(book.gather("lima-oh")))


def test_empty_templates_put_the_demonstration_away(home: Path, reports: Path) -> None:
    templates.write(paths.local("san-francisco"))
    ledger = run("san-francisco")
    assert rows(ledger, "files")[0][2] == "empty: fill it in" and rows(ledger, "levels") == []
    assert not any(source["synthetic"] for source in ledger["sources"])


def test_a_few_people_alone_run_and_nothing_on_them_is_shown(home: Path, reports: Path) -> None:
    folder = paths.local("enid-ok")
    folder.mkdir(parents=True)
    people = [GOOD | {"id": f"p{i}", "site": ""} for i in range(4)]
    (folder / "participants.csv").write_bytes(written(people))
    ledger = run("enid-ok", assigned_at_random=False)
    assert number(ledger, "served")["value"] == 4
    (passed,) = disclosure.apply({"one": ledger})[0].values()
    assert number(passed, "served")["value"] is None
    for key in ("profile", "levels", "rates", "quarters"):
        cells = next(i for i in passed["items"] if i.get("address", "").endswith(f"/{key}"))["rows"]
        prefix = "wioa" if key == "rates" else "person"
        names = [n for n in worker_tables.SHOWN[key] if n not in worker_tables._PUBLIC[key]]
        places = [worker_tables.SHOWN[key].index(n) for n in names]
        assert prefix and {row[i] for row in cells for i in places} <= {None, 0}


def test_the_demonstration_is_marked_and_passes_the_gate(home: Path, reports: Path) -> None:
    ledger = run("san-francisco")
    assert any(source["synthetic"] for source in ledger["sources"]) and ledger["person_level"]
    assert not list(reports.rglob("*09_workers*")), "what has not passed the gate is not among the reports"
    page = html.render(edition.make(book.gather("san-francisco")))
    assert "not shown" in page and "drawn at random and marked synthetic" in page
    assert page.count("<img") == sum(i["kind"] == "figure" for i in ledger["items"]), "no figure is lost"
    assert number(ledger, "nsw_experiment")["value"] == pytest.approx(1794.34)
