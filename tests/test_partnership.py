"""Chapter 11: the forms and their one dictionary, goals by their pace, systems changes, the guard, the register."""

import re

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import charts, config, register, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import origin
from sectorbook.measures import comparability, convening, partnership, systems
from shared import SHARED, needs_shared

# Entries of each list, counted in the source documents: B36 has five categories of activity and impact, and three
# questions; B37 its parts' questions; W is the statute's six.
ENTRIES = {"B32": 19, "B33": 20, "B36": 13, "B37": 33, "B38": 11, "B39": 8, "D09": 6, "W": 6}
DEMONSTRATION = origin.Origin("demonstration", origin.DEMONSTRATION, "san-francisco")

# Every number of the source documents, by its id in the register.
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


@pytest.fixture
def dictionary() -> pd.DataFrame:
    return warehouse.framework("indicators")


# -- the dictionary and the forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("document", ENTRIES)
def test_every_line_of_every_list_is_an_indicator_once(document: str, dictionary: pd.DataFrame) -> None:
    places = [s for item in dictionary.itertuples() for s in item.sources if s.startswith(f"{document}.")]
    assert len(places) == len(set(places)) == ENTRIES[document]
    asked = register.forms()
    own = asked[asked.form_documents.str.split(", ").map(lambda ids: document in ids)]
    held = dictionary[dictionary.sources.map(lambda ids: any(i.startswith(f"{document}.") for i in ids))]
    assert set(held.id) <= set(own.indicator), "the form asks for each of them"


def test_a_form_asks_for_nothing_its_documents_do_not_list(dictionary: pd.DataFrame) -> None:
    sources = dict(zip(dictionary.id, dictionary.sources, strict=True))
    for line in register.forms().itertuples():
        named = {source.partition(".")[0] for source in sources[line.indicator]}
        assert named & set(line.form_documents.split(", ")), line


def test_a_form_with_an_indicator_there_is_not_is_refused(home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "config" / "forms.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("asks: [testimonials]", "asks: [testimonal]"))
    with pytest.raises(SectorbookError, match="Did you mean 'testimonials'"):
        register.layouts()


def entries(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["indicator", "date", "value", "words"])
    return frame.assign(date=pd.to_datetime(frame.date), value=frame.value.astype("Float64"))


NOTHING = pd.DataFrame(columns=["indicator", "value", "as_of", "comes_from"])


def test_a_line_without_entry_is_not_zero_and_zero_is_an_entry(dictionary: pd.DataFrame) -> None:
    found = partnership.answers(dictionary, entries(("completers", "2026-04-11", 0, None)), NOTHING)
    by = found.set_index("indicator").form_answer
    assert by["completers"] == "0" and by["new_credentials"] == partnership.NOT_ENTERED
    filled = partnership.lines(register.forms(), found)
    assert len(filled) == len(register.forms()) and filled.form_answer.notna().all()
    coverage = partnership.coverage(filled).set_index("form")
    assert coverage.loc["massachusetts", ["form_lines", "entered_lines"]].tolist() == [52, 1]


@pytest.mark.parametrize(
    ("indicator", "value", "told"),
    [("completers", 1234, "1,234"), ("wage_at_placement", 21.5, "$21.50"), ("funding_leveraged", 60000, "$60,000"),
     ("turnover", 34, "34 percent"), ("right_partners", 3.94, "3.9 of 5"), ("engage_hire", 3, "all"),
     ("engage_hire", 0, "none"), ("engagement_level", 2, "medium")],
)  # fmt: skip
def test_a_value_is_written_in_its_unit(
    indicator: str, value: float, told: str, dictionary: pd.DataFrame
) -> None:
    found = partnership.answers(dictionary, entries((indicator, "2026-01-31", value, None)), NOTHING)
    assert found.set_index("indicator").form_answer[indicator] == told


def test_the_last_day_counts_and_the_first_stands_beside_it(dictionary: pd.DataFrame) -> None:
    given = entries(("turnover", "2026-06-30", 34, "Survey"), ("turnover", "2025-06-30", 41, None))
    row = partnership.answers(dictionary, given, NOTHING).set_index("indicator").loc["turnover"]
    assert (row.form_answer, row.form_first, row.form_as_of) == (
        "34 percent; Survey",
        "41 percent",
        "2026-06-30",
    )


def test_what_other_files_say_is_carried_over_and_an_entry_goes_first(dictionary: pd.DataFrame) -> None:
    partners, engagement, changes = (
        warehouse.local(name, DEMONSTRATION) for name in ("partners", "engagement_table", "systems_changes")
    )
    ten = warehouse.framework("employer_engagement_table")
    activities = ten[ten.group == "activity"].id.tolist()
    carried = partnership.carried_over(dictionary, partners, engagement, activities, changes)
    values = carried.set_index("indicator").value
    here = convening.at_table(partners)
    assert (
        values["partners_engaged"] == len(here)
        and values["formalization"] == here.agreement_signed.eq(True).sum()
    )
    own = engagement[(engagement.year == engagement.year.max()) & (engagement.activity == "gives_match")]
    steps = own.answer.map({"none": 0, "some": 1, "most": 2, "all": 3})
    assert values["engage_match"] == steps.dropna().median() // 1
    assert values["hr_practices"] == 1, "spread with evidence counts, piloted does not"
    given = entries(("formalization", "2026-06-30", 3, None))
    row = partnership.answers(dictionary, given, carried).set_index("indicator").loc["formalization"]
    assert (row.form_answer, row.form_from) == ("3", "entries")
    none = [
        warehouse.local(n, origin.Origin("none", "nobody", "lima-oh"))
        for n in ("partners", "engagement_table")
    ]
    assert partnership.carried_over(dictionary, *none, activities, changes.iloc[:0]).empty


# -- goals ------------------------------------------------------------------------------------------------------


def goals(goal: float, indicator: str = "completers") -> pd.DataFrame:
    days = {"start": pd.Timestamp("2026-01-01"), "due": pd.Timestamp("2026-12-31")}
    return pd.DataFrame([{"indicator": indicator, "goal": goal, **days}])


@pytest.mark.parametrize(
    ("value", "goal", "on_track", "projected"),
    [(50, 100, "Y", "2026-07-20"), (20, 100, "N", "2027-05-16"), (120, 100, "Y", "reached"),
     (0, 100, "N", "never at this pace"), (1, 9000, "N", "more than fifty years off")],
)  # fmt: skip
def test_a_goal_is_judged_by_its_pace(
    value: float, goal: float, on_track: str, projected: str, dictionary: pd.DataFrame
) -> None:
    """100 days for 50: 200 days for 100, and the 200th day after 1 January 2026 is 20 July; 20 take 500 days."""
    done = entries(("completers", "2026-04-11", value, None))
    row = partnership.on_track(goals(goal), done, dictionary).iloc[0]
    assert (row.goal_on_track, row.goal_projected) == (on_track, projected)
    nothing = partnership.on_track(goals(goal), done.iloc[:0], dictionary).iloc[0]
    assert nothing.goal_on_track == "not known" and pd.isna(nothing.goal_reached)


def test_a_goal_reached_on_the_day_it_is_due_is_on_track(dictionary: pd.DataFrame) -> None:
    """25 of 100 after 91 days: the 364th day after 1 January 2026 is 31 December."""
    for value, said in ((25, "Y"), (24, "N")):
        done = entries(("completers", "2026-04-02", value, None))
        assert partnership.on_track(goals(100), done, dictionary).goal_on_track.tolist() == [said]


def test_a_goal_that_is_no_count_has_no_pace(dictionary: pd.DataFrame) -> None:
    done = entries(("turnover", "2026-04-11", 30, None))
    row = partnership.on_track(goals(20, "turnover"), done, dictionary).iloc[0]
    assert (row.goal_on_track, row.goal_projected) == ("not known", "not a count: it has no pace")


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 364))
def test_on_track_is_the_same_as_ahead_of_an_even_pace(value: int, goal: int, day: int) -> None:
    at = pd.Timestamp("2026-01-01") + pd.Timedelta(days=day)
    done = entries(("completers", str(at.date()), value, None))
    row = partnership.on_track(goals(goal), done, warehouse.framework("indicators")).iloc[0]
    # To the day: the projected day is rounded up.
    ahead = value >= goal or day * goal <= 364 * value
    assert (row.goal_on_track == "Y") == ahead


# -- systems change ---------------------------------------------------------------------------------------------


def test_systems_change_has_three_arenas_with_their_names_kinds_and_cases() -> None:
    items = warehouse.framework("systems_change")
    counted = items.group.value_counts()
    assert counted[["arena", "kind", "question", "step"]].tolist() == [3, 8, 8, 3]
    for arena in items[items.group == "arena"].itertuples():
        assert {s.split(".")[0] for s in arena.sources} == {"A17", "B19", "B39", "D10", "D01"}
    assert len(systems.examples(items)) == 11
    worked = systems.cases(warehouse.framework("systems_cases"), items, register.published())
    assert (
        worked.reach_told.dropna().tolist() == ["1,000", "more than 16,000"] and worked.arena.nunique() == 3
    )
    told = worked[["case_name", "change_barrier", "change_strategy", "change_title"]]
    assert told.notna().all().all() and worked.change_evidence.notna().sum() == 1, (
        "what is not said stays open"
    )
    kinds = set(items[items.group == "kind"].id)
    assert kinds <= set(warehouse.framework("indicators").id), "the log fills the form of the same names"


def test_only_what_is_adopted_with_evidence_counts() -> None:
    items = warehouse.framework("systems_change")
    changes = warehouse.local("systems_changes", DEMONSTRATION)
    counted = systems.counts(changes, items).set_index("arena")
    assert counted[list(systems.STAGES)].to_numpy().sum() == len(changes)
    without = systems.counts(changes.assign(evidence=pd.Series([None] * len(changes), dtype="str")), items)
    assert counted.with_evidence.sum() > 0 and without.with_evidence.sum() == 0
    log = systems.log(changes, items)
    assert log.date.is_monotonic_increasing and log.stage_level.between(1, 4).all()


# -- effectiveness and the network ------------------------------------------------------------------------------


def test_effectiveness_by_wave_stands_beside_the_network_of_that_wave() -> None:
    judged, partners, ties = (
        warehouse.local(n, DEMONSTRATION) for n in ("effectiveness", "partners", "ties")
    )
    survey = warehouse.framework("partner_survey")
    level = survey[survey.group == "kind"].set_index("id").level.astype(int).to_dict()
    dimensions = survey[survey.group.isin(["trust", "value"])].groupby("group").id.agg(list).to_dict()
    table = partnership.by_wave(judged, partners, ties, level, dimensions, (1, 4)).set_index("wave")
    graph = convening.wave_graph(partners, ties, 2, level)
    assert table.loc[2, "density_pct"] == pytest.approx(100 * nx.density(graph))
    second = judged[judged.wave == 2].answer.astype(float)
    assert table.loc[2, "effectiveness_pct"] == pytest.approx(25 * (second.mean() - 1))
    alone = partnership.by_wave(judged, partners.iloc[:0], ties.iloc[:0], level, dimensions, (1, 4))
    assert alone.density_pct.isna().all() and alone.effectiveness_pct.notna().all()
    scores = partnership.effectiveness(judged, warehouse.framework("partnership_effectiveness"))
    assert (scores.judged_low < scores.judged_mean).all() and scores.judged_n.max() <= len(partners)


# -- the guard --------------------------------------------------------------------------------------------------


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
     ({"indicator": [None, None]}, "same indicator"), ({"indicator": ["turnover", "accidents"]}, "same indicator")],
)  # fmt: skip
def test_unlike_initiatives_are_not_ranked(changed: dict, why: str) -> None:
    table = comparability.compare(peers(**changed))
    assert table.peer_rank.isna().all() and table.why_not.str.contains(why).all()


def test_declared_peers_of_like_aim_and_size_are_ranked() -> None:
    assert comparability.compare(peers()).peer_rank.tolist() == [2, 1]
    assert comparability.compare(peers().iloc[:0]).empty
    demonstration = comparability.compare(warehouse.local("peers", DEMONSTRATION))
    assert demonstration.peer_rank.notna().sum() == 3


def test_the_source_s_five_initiatives_are_never_ranked() -> None:
    table = comparability.compare(
        comparability.cases(warehouse.framework("comparison_cases"), register.published())
    )
    assert table.people_per_year.dropna().tolist() == [1000, 130, 3] and len(table) == 5
    assert table.peer_rank.isna().all() and table.why_not.str.contains("other aims").all()


# -- the register -----------------------------------------------------------------------------------------------


def test_the_register_holds_every_number_of_the_source_documents() -> None:
    known = config.published()
    assert {key: known[key].value for key in NUMBERS} == NUMBERS
    assert {key for key, entry in known.items() if "later" not in entry.source} == set(NUMBERS)


@needs_shared
def test_the_register_agrees_with_the_inventory() -> None:
    text = (SHARED / "reference" / "seed-inventory.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"### X07 .*\n(.+)", text)
    line = re.sub(r"\b[A-E]\d\d(=[A-E]\d\d)?\b", "", line).replace("4½", "4.5")
    line = line.replace("six", "6").replace("two", "2").replace("scale 1–5", "scale 1 5")
    listed = {float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", line)}
    assert listed == {abs(value) for value in NUMBERS.values()}


def test_the_register_says_what_stands_behind_a_number() -> None:
    for key, entry in config.published().items():
        assert entry.address or "later" not in entry.source, key
        assert entry.value is not None or entry.note, key
        assert entry.statistic or not entry.label.startswith(("Median", "Mean")), key
    known = config.published()
    # What the source documents imply: 18 percent of a control mean of 25,000 is 4,500; the gains of the medians.
    assert known["seis_earnings"].value / 0.18 == 25_000
    start = known["sedlp_earnings_before"].value
    assert [known[f"sedlp_earnings_year_{year}"].value - start for year in (1, 2)] == [5460, 9152]
    assert (
        known["sedlp_earnings_year_1"].statistic == "median"
        and known["sedlp_mean_gain_1"].statistic == "mean"
    )
    for key in ("ma_turnover", "ma_rework", "ma_complaints", "ma_valuable"):
        assert known[key].kind == "reported"
    assert register.published().set_index("id").published_value["sedlp_earnings_before"] == "8,580"


def test_a_figure_without_data_says_so(dictionary: pd.DataFrame) -> None:
    empty = partnership.on_track(goals(1).iloc[:0], entries(), dictionary)
    assert "Nothing to show" in charts.progress(empty, "Title", "Note").alt
    log = systems.log(
        warehouse.local("systems_changes", DEMONSTRATION).iloc[:0], warehouse.framework("systems_change")
    )
    assert "Nothing to show" in charts.timeline(log, "Title", "Note").alt
    one = partnership.on_track(goals(100), entries(("completers", "2026-04-11", 50, None)), dictionary)
    assert "50 percent, on track Y, 2026-07-20" in charts.progress(one, "Title", "Note").alt
