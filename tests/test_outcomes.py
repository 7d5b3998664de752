"""The tables of the outcome chapters: the indicator dictionary, the register, known answers, and what no data gives."""

import numpy as np
import pandas as pd
import pytest
from sectorbook import config, demonstration, evidence, forms, outcome_charts, warehouse
from sectorbook.measures import comparison_study, employer_outcomes, partnership, worker_outcomes

# Entries of each instrument, counted in the source documents (B37: the nine parts' questions; W: the six indicators).
ENTRIES = {"B32": 19, "B33": 20, "B36": 8, "B37": 33, "B38": 11, "B39": 8, "D09": 6, "W": 6}

# Every number of the source documents (X07), by its id in the register.
NUMBERS = {
    "nnsp_1969": 1969, "nnsp_1999": 1999, "ma_turnover": -41, "ma_rework": -19, "ma_complaints": -23, "ma_valuable": 100,
    "sedlp_worked_before": 74, "sedlp_worked_after": 94, "sedlp_earnings_before": 8580, "sedlp_earnings_year_1": 14040,
    "sedlp_earnings_year_2": 17732, "sedlp_poverty_exit": 48, "sedlp_prospects": 82, "sedlp_initiatives": 6,
    "la_served": 1000, "la_people_of_color": 89, "sf_families": 16000, "sf_years": 2, "peer_healthcare": 1000,
    "peer_solar": 130, "peer_power": 3, "pa_report_2008": 2008, "pa_report_2009": 2009, "ma_scale_low": 1, "ma_scale_high": 5,
    "seis_initiatives": 3, "seis_earnings": 4500, "seis_earnings_pct": 18, "seis_year_2_pct": 29, "seis_years": 2,
    "sedlp_mean_gain_1": 7000, "sedlp_mean_gain_2": 10000, "sedlp_insurance_after": 78, "sedlp_insurance_before": 50,
    "survey_leaders": 227, "survey_year": 2006, "survey_systems_change": 93, "survey_case_management": 86, "sedlp_years": 4.5,
}  # fmt: skip


@pytest.mark.parametrize("document", ENTRIES)
def test_the_dictionary_carries_every_entry_of_every_form(document: str) -> None:
    lines = partnership.entries_of(warehouse.framework("indicators"), document)
    assert list(lines.line) == list(range(1, ENTRIES[document] + 1))
    assert lines.section.nunique() == len(partnership.SECTIONS[document])


def test_the_register_holds_every_number_of_the_source_documents() -> None:
    register = config.published()
    assert {key: register[key].value for key in NUMBERS} == NUMBERS
    assert {key for key, entry in register.items() if "later" not in entry.source} == set(NUMBERS)


def test_the_register_says_what_stands_behind_a_number() -> None:
    for key, entry in config.published().items():
        assert entry.address or "later" not in entry.source, key
        assert entry.value is not None or entry.note, key
        assert entry.statistic or not entry.label.startswith(("Median", "Mean")), key
    register = config.published()
    # What the source documents imply: 18 % of a control mean of 25,000 is 4,500; the medians' gains (X08).
    assert register["seis_earnings"].value / 0.18 == 25_000
    gains = [
        register[f"sedlp_earnings_year_{y}"].value - register["sedlp_earnings_before"].value for y in (1, 2)
    ]
    assert gains == [5460, 9152]
    assert {register[k].statistic for k in ("sedlp_earnings_year_1", "sedlp_mean_gain_1")} == {
        "median",
        "mean",
    }


def test_systems_change_has_three_arenas_with_their_names_kinds_and_cases() -> None:
    items = warehouse.framework("systems_change")
    counts = items.group.value_counts()
    assert counts[["arena", "kind", "case", "question", "step", "effect"]].to_dict() == {
        "arena": 3, "kind": 8, "case": 3, "question": 8, "step": 3, "effect": 2,
    }  # fmt: skip
    for arena in items[items.group == "arena"].itertuples():
        assert {s.split(".")[0] for s in arena.sources} == {"A17", "B19", "B39", "D10", "D01"}
    assert len(partnership.examples(items)) == 14


def test_the_experiment_the_trap_and_the_estimators() -> None:
    trial, study = evidence.supported_work()
    truth = comparison_study.benchmark(trial, study, "re78", "treat")
    assert truth.experiment == pytest.approx(1794.34, abs=0.005)
    assert truth.naive == pytest.approx(-15204.78, abs=0.005)
    rivals = comparison_study.compared(study, "re78", "treat", demonstration.COVARIATES, "re75", truth)
    verdicts = rivals.set_index("estimator").verdict
    assert (len(rivals), verdicts["difference in means"], verdicts["entropy balancing"]) == (
        15,
        "misleads",
        "in range",
    )
    assert (
        comparison_study.rating(study, "treat", demonstration.COVARIATES).rating == "does not meet standards"
    )


def test_the_training_grants_give_the_textbook_s_answer() -> None:
    """Wooldridge, Example 14.1: grant −0.252 (0.151), grant last year −0.422 (0.210), 54 firms."""
    found = employer_outcomes.grants(evidence.training_grants())
    assert found.estimate.round(3).tolist() == [-0.252, -0.422]
    assert found.standard_error.round(3).tolist() == [0.151, 0.210]
    assert found.n_units.tolist() == [54, 54]


def test_without_comparison_firms_a_change_is_reported_and_no_effect() -> None:
    outcomes, _ = demonstration.firms(1)
    labels = warehouse.framework("employer_measures")
    alone = outcomes[outcomes.partner == 1]
    assert set(employer_outcomes.changes(alone, labels).called) == {"reported"}
    effects = employer_outcomes.effects(alone, labels, 99, 1)
    assert effects.estimate.isna().all() and effects.note.str.contains("reported").all()
    four = alone[alone.employer_code.isin(alone.employer_code.unique()[:4])]
    assert employer_outcomes.changes(four, labels).p_value.min() == 0.125, "four firms cannot give less"


def test_firms_with_several_starts_are_not_put_in_one_difference() -> None:
    outcomes, _ = demonstration.firms(1)
    late = outcomes.partner.eq(1) & outcomes.employer_code.isin(["SYN-01", "SYN-02", "SYN-03", "SYN-04"])
    outcomes.loc[late, "start_period"] = 2024.0
    effects = employer_outcomes.effects(outcomes, warehouse.framework("employer_measures"), 99, 1)
    assert set(effects.note) == {"several starts"} and effects.estimate.notna().all()


def test_a_part_of_a_return_that_is_not_known_is_not_zero() -> None:
    _, firms = demonstration.firms(1)
    firms.loc[firms.index[0], "daily_value_usd"] = np.nan
    found = employer_outcomes.returns(firms, 0.21).iloc[0]
    assert np.isnan(found.vacancy_saved_usd) and found.parts_unknown == 1
    assert found.benefit_usd == pytest.approx(found.turnover_saved_usd + found.other_benefit_usd)
    assert employer_outcomes.spread(employer_outcomes.returns(firms.head(4), 0.21)).empty


def entries(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["indicator", "date", "value"]).assign(account=None)
    return frame.assign(date=pd.to_datetime(frame.date))


def goals(goal: float) -> pd.DataFrame:
    days = {"start": pd.Timestamp("2026-01-01"), "due": pd.Timestamp("2026-12-31")}
    return pd.DataFrame([{"indicator": "completers", "goal": goal, **days}])


@pytest.mark.parametrize(
    ("value", "goal", "status", "projected"),
    [(50, 100, "on track", "2026-07-20"), (20, 100, "behind", "2027-05-16"), (120, 100, "reached", "reached"),
     (0, 100, "behind", "never at this pace"), (1, 9000, "behind", "more than fifty years off")],
)  # fmt: skip
def test_a_goal_is_judged_by_its_pace(value: float, goal: float, status: str, projected: str) -> None:
    """100 days for 50: 200 days for 100, the 200th day after 1 January 2026 is 20 July; 20 take 500 days."""
    done = entries(("completers", "2026-04-11", value))
    row = partnership.on_track(goals(goal), done, warehouse.framework("indicators")).iloc[0]
    assert (row.status, row.projected) == (status, projected)
    nothing = partnership.on_track(goals(goal), done.iloc[:0], warehouse.framework("indicators")).iloc[0]
    assert nothing.status == "no entry yet" and np.isnan(nothing.reached_value)


def test_a_form_line_without_entry_is_not_zero() -> None:
    printed = partnership.form(
        warehouse.framework("indicators"), entries(("completers", "2026-04-11", 0)), "B37"
    )
    assert printed.set_index("id").entered[["completers", "new_credentials"]].tolist() == [
        "0",
        partnership.NOT_ENTERED,
    ]


def peers(**changed: list) -> pd.DataFrame:
    base = {
        "initiative": ["A", "B"], "aim": ["training_and_placement"] * 2, "people_per_year": [100.0, 130.0],
        "peer_group": ["mid"] * 2, "indicator": ["job_seekers_placed"] * 2, "value": [60.0, 90.0],
    }  # fmt: skip
    return pd.DataFrame(base | changed)


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"peer_group": [None, None]}, "declares no peer group"), ({"peer_group": ["x", "y"]}, "nobody else"),
     ({"aim": ["apprenticeship", "career_awareness"]}, "other aims"), ({"people_per_year": [3.0, 1000.0]}, "unlike in size"),
     ({"people_per_year": [0.0, 0.0]}, "unlike in size"), ({"value": [None, 3.0]}, "same indicator"),
     ({"indicator": ["turnover", "accidents"]}, "same indicator")],
)  # fmt: skip
def test_unlike_initiatives_are_not_ranked(changed: dict, why: str) -> None:
    table = partnership.compare(peers(**changed))
    assert table["rank"].isna().all() and table.why_not.str.contains(why).all()


def test_declared_peers_of_like_aim_and_size_are_ranked() -> None:
    assert partnership.compare(peers())["rank"].tolist() == [2, 1]
    vignettes = evidence.table("peers", "lima-oh", "san-francisco").frame
    assert len(vignettes) == 5 and partnership.compare(vignettes)["rank"].isna().all()


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return worker_outcomes.with_years(demonstration.people(2), *evidence.poverty_guideline(2023))


def test_medians_and_means_stand_apart(people: pd.DataFrame) -> None:
    table = worker_outcomes.changes(worker_outcomes.served(people)).set_index(["indicator", "statistic"])
    before = people[worker_outcomes.YEAR_LAST].sum(axis=1, min_count=4)
    kept = worker_outcomes.served(people).index[
        worker_outcomes.served(people).earnings_year_after_usd.notna()
    ]
    earnings = table.loc["Annual earnings, USD"]
    assert earnings.loc["median", "before"] == before[kept].median()
    assert earnings.loc["mean", "before"] == pytest.approx(before[kept].mean())


def test_poverty_exit_counts_only_those_who_were_poor_and_are_known(people: pd.DataFrame) -> None:
    poor = people[people.out_of_poverty.notna()]
    line = 14580 + 5140 * (poor.household_size - 1)
    assert (poor.earnings_year_before_usd < line).all() and poor.earnings_year_after_usd.notna().all()
    assert (poor.out_of_poverty == (poor.earnings_year_after_usd >= line)).all()


def test_late_wage_records_are_in_neither_numerator_nor_denominator(people: pd.DataFrame) -> None:
    served = worker_outcomes.served(people)
    table = worker_outcomes.primary(served, "2023-07-01", "2024-06-30").set_index("indicator")
    exits = served[served.exit_date.between("2023-07-01", "2024-06-30") & (served.excluded_exit != 1)]
    row = table.loc["employment_q2"]
    assert row.denominator + row.not_yet_available == len(exits)
    assert row.value == pytest.approx(100 * row.numerator / row.denominator)


def test_the_synthetic_effect_is_found_by_every_estimator(people: pd.DataFrame) -> None:
    sample = worker_outcomes.analysed(
        people, "earnings_year_after_usd", ["earnings_early_usd", "age_at_entry"]
    )
    table = worker_outcomes.trial(
        sample, "earnings_year_after_usd", ["earnings_early_usd", "age_at_entry", "female"]
    )
    assert (table.ci_low > 0).all() and (table.note == "").all()
    assert table.estimate.iloc[-1] > table.estimate.iloc[0], "taking part does more than the offer"


def test_no_people_give_empty_tables_and_no_numbers(people: pd.DataFrame) -> None:
    none = people.iloc[:0]
    assert worker_outcomes.levels(none).empty and worker_outcomes.changes(none).empty
    assert worker_outcomes.dynamics(none).empty and worker_outcomes.by_group(none, "x", "sex").empty
    main = worker_outcomes.main_estimate(worker_outcomes.trial(none, "x", []))
    assert np.isnan(main.estimate) and worker_outcomes.worth(main, 1, 0.2, 0.03, 1, 0.2, 2023, 9, 1).empty
    assert worker_outcomes.trial_p_value(none, "x", 9, 1) is None
    assert worker_outcomes.attrition_figures([]) == (None,) * 4


def test_one_group_only_is_no_trial(people: pd.DataFrame) -> None:
    only = people[people.treated == 1]
    assert worker_outcomes.analysed(only, "earnings_year_after_usd", ["age_at_entry"]).empty


@pytest.mark.parametrize("name", [n for n in config.forms() if n != "participants"])
def test_every_file_reads_its_own_template_and_tells_a_wrong_cell(name: str) -> None:
    good = forms.template(name).replace("# ", "")
    assert len(forms.read(name, good.encode(), f"{name}.csv")) == 1
    first = config.forms()[name].columns[0]
    body = good.splitlines()[1]
    broken = good.replace(body, "," + body.partition(",")[2])
    with pytest.raises(Exception, match=f"row 2, column {first.name}: it is empty"):
        forms.read(name, broken.encode(), f"{name}.csv")


def test_a_figure_without_data_says_so() -> None:
    empty = pd.DataFrame(columns=["label", "value", "low", "high"])
    figure = outcome_charts.forest(
        empty, "label", "value", "low", "high", empty.label == 1, 0.0, "none", "USD", "x", "Title", "Note"
    )
    assert "Nothing to show" in figure.alt
