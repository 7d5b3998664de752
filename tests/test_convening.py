"""What stands between an initiative's files and the measures, and the charts: by hand, and against R."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from sectorbook import charts, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import origin
from sectorbook.measures import convening, employer_answers, programs, sizing
from shared import SHARED, needs_shared

LEVELS = {"awareness": 1, "cooperation": 2, "coordination": 3, "integration": 4}
PARTNERS = pd.DataFrame(
    {
        "partner": list("ABCDE"),
        "type": ["business", "college", "business", None, "college"],
        "roles": [("recruit",), (), ("recruit", "pay_tuition"), (), ()],
        "waves_at_table": [("1", "2"), ("1", "2"), ("1", "2"), ("2",), ()],
        "waves_answered": [("1", "2"), ("1",), ("1", "2"), ("2",), ()],
    }
)
TIES = pd.DataFrame(
    [("A", "B", 1, "awareness"), ("A", "B", 2, "integration"), ("C", "A", 2, None), ("D", "A", 2, "cooperation"),
     ("A", "E", 2, "cooperation")],
    columns=["source", "target", "wave", "kind"],
)  # fmt: skip


def test_a_wave_has_its_partners_ties_and_silent() -> None:
    graph = convening.wave_graph(PARTNERS, TIES, 2, LEVELS)
    assert sorted(graph) == ["A", "B", "C", "D"] and convening.silent(graph) == ["B"]
    assert sorted(graph.edges(data="weight")) == [("A", "B", 4), ("C", "A", 1), ("D", "A", 2)]
    assert graph.graph["outside"] == 1  # E is not at the table
    assert convening.wave_graph(PARTNERS, TIES, 2, LEVELS, 2).number_of_edges() == 2
    assert convening.waves(PARTNERS) == [1, 2] and convening.wave_before(PARTNERS, 2) == 1
    assert convening.chosen_wave(PARTNERS, 0) == 2 and convening.chosen_wave(PARTNERS.iloc[:0], 0) is None
    assert convening.wanted(PARTNERS)["partner"].tolist() == ["E"]
    assert len(convening.assignments(convening.at_table(PARTNERS))) == 3
    with pytest.raises(SectorbookError, match="least_level is 9"):
        convening.wave_graph(PARTNERS, TIES, 2, LEVELS, 9)


def test_a_partner_that_named_someone_has_answered() -> None:
    """A file may say that nobody answered, and hold answers."""
    graph = convening.wave_graph(PARTNERS.assign(waves_answered=[()] * 5), TIES, 2, LEVELS)
    assert convening.silent(graph) == ["B"]
    assert len(convening.bounds(graph, convening.MEASURES, 3, 1)) == len(convening.MEASURES)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_partners_give_empty_tables(count: int) -> None:
    few = PARTNERS.head(count)
    graph = convening.wave_graph(few, TIES.iloc[:0], 2 if count else None, LEVELS)
    measured = convening.partner_table(graph, 1)
    assert measured.empty and convening.losses(graph).empty and convening.bounds(graph, {}, 3, 1).empty
    assert np.isnan(convening.value_of(convening.bounds(graph, {}, 3, 1), "density")["observed"])
    mapped = convening.map_frame(graph, measured, {}, 1)
    assert "Nothing to show" in charts.network_map(mapped, convening.tie_table(graph), "T", "N").alt


def test_a_scorecard_just_begun_compares_what_it_has() -> None:
    items = pd.DataFrame({"id": ["a1", "a2", "b1", "c1"], "group": ["a", "a", "b", "c"]})
    one = pd.DataFrame({"candidate": ["X"], "item": ["a1"], "score": [3], "evidence": ["seen"]})
    one["conflict_of_interest"] = pd.array([None], dtype="boolean")
    groups, whole = convening.candidates(one, items, (1, 4), "b1")
    assert groups["group"].tolist() == [
        "a",
        "b",
    ]  # c is not in use; b holds the line a conflict of interest bears on
    assert (
        whole[["low", "high"]].to_numpy().tolist() == [[1.5, 3.75]]
        and whole["conflict_of_interest"].isna().all()
    )
    assert convening.candidates(one.iloc[:0], items, (1, 4), "b1")[1].empty


@pytest.mark.parametrize("count", [10, 50, 150])
def test_no_name_on_the_map_lies_on_another(count: int) -> None:
    rng = np.random.default_rng(count)
    partners = pd.DataFrame(
        {
            "partner": [f"Organization number {i} of the region" for i in range(count)],
            "map_number": range(1, count + 1), "x": rng.uniform(-1, 1, count), "y": rng.uniform(-1, 1, count),
            "group": rng.choice(["Industry", "Public"], count), "degree": rng.integers(0, 9, count), "answered": True,
        }
    )  # fmt: skip
    ends = rng.integers(0, count, (2 * count, 2))
    ties = (
        pd.DataFrame(ends, columns=["source", "target"])
        .map(lambda i: partners["partner"][i])
        .assign(weight=1.0)
    )
    figure = charts.network_map(partners, ties[ties["source"] != ties["target"]], "T", "N")
    figure.canvas.draw()
    (axes,) = figure.axes
    words = [t for t in axes.texts if isinstance(t, Text) and t.get_text().startswith("Organization")]
    boxes = [t.get_window_extent() for t in words]
    assert not [1 for i, box in enumerate(boxes) if box.count_overlaps(boxes[i + 1 :])]
    page = figure.bbox
    assert all(page.x0 <= b.x0 and b.x1 <= page.x1 and page.y0 <= b.y0 and b.y1 <= page.y1 for b in boxes)
    numbers = [t for t in axes.texts if t.get_text().isdigit()]
    assert len(words) + len(numbers) == count and len(numbers) == len(figure.unnamed)
    assert count > 10 or not figure.unnamed
    said = (
        f"{len(figure.unnamed)} of {count} names have no room" if figure.unnamed else "Every name has room."
    )
    assert said in figure.alt and said in " ".join(figure.get_supxlabel().split())
    left = figure.texts + [t for t in axes.texts if t not in words]
    notes = [t.get_window_extent() for t in left if t.get_text() == figure.get_supxlabel()]
    assert len(notes) == 1 and not notes[0].overlaps(axes.get_legend().get_window_extent())


# -- employers ------------------------------------------------------------------------------------------------


def answers(**changed: list) -> pd.DataFrame:
    given = {
        "employer_code": ["E1", "E2", "E2", "E3", "E9", "E4", None],
        "consent": ["yes", "yes", "yes", "no", "yes", "yes", "yes"],
        "complete": [True, True, True, True, True, False, True],
        "in_frame": [True, True, True, True, False, True, False],
        "duplicate_of": [None, None, 3, None, None, None, None],
        "hires_planned": [2.0, 4.0, 9.0, 1.0, 1.0, 1.0, 1.0],
        **changed,
    }
    return pd.DataFrame(given)


EMPLOYERS = pd.DataFrame(
    {
        "employer_code": [f"E{i}" for i in range(1, 11)],
        "employer": [f"Firm {i}" for i in range(1, 11)],
        "size_class": ["small"] * 6 + ["large"] * 4,
        "employees": [5.0] * 6 + [100.0] * 4,
        "invited": [True] * 8 + [False] * 2,
    }
)


def test_each_response_is_counted_or_set_aside_for_one_reason() -> None:
    kept, aside = employer_answers.counted(answers(), EMPLOYERS)
    assert kept["employer_code"].tolist() == ["E1", "E2"] and kept["hires_planned"].tolist() == [2, 4]
    assert dict(zip(aside["reason"], aside["responses"], strict=True)) == {
        "No consent": 1, "Not finished": 1, "Code not among the employers": 2, "Not invited": 0, "Sent again": 1, "Counted": 2,
    }  # fmt: skip
    rates = employer_answers.rates(EMPLOYERS, kept, ["small", "large"])
    assert rates["response_pct"].tolist() == pytest.approx([100 * 2 / 6, 0])
    later = employer_answers.counted(answers(employer_code=["E10"] + ["E2"] * 6), EMPLOYERS)[1]
    assert later.set_index("reason")["responses"]["Not invited"] == 1


def test_totals_stand_for_the_classes_that_answered_by_hand() -> None:
    kept, _ = employer_answers.counted(answers(), EMPLOYERS)
    total = employer_answers.one(
        employer_answers.totals(employer_answers.design(kept), {"hires_planned": "Hires"}), "hires_planned"
    )
    # Mean 3 of the 6 small employers; variance of the mean (1 - 2/6) * 2 / 2.
    assert total["estimate"] == pytest.approx(18) and total["se"] == pytest.approx(
        6 * np.sqrt((1 - 2 / 6) * 2 / 2)
    )
    open_item = kept.assign(hires_planned=[2.0, np.nan])
    alone = employer_answers.totals(employer_answers.design(open_item), {"hires_planned": "Hires"}).iloc[0]
    assert alone["estimate"] == pytest.approx(12) and alone["n_missing"] == 1


@needs_shared
def test_totals_equal_r_on_the_api_sample() -> None:
    """R's survey on the stratified sample of schools: mean of api00 662.2874, standard error 9.4089."""
    frame = pd.read_csv(next(SHARED.glob("data/survey_api/*strat*.csv")))
    sizes = frame.groupby("stype")["fpc"].first()
    kept = pd.DataFrame(
        {
            "api00": frame["api00"].astype(float),
            "frame_size": frame["stype"],
            "frame_count": frame["stype"].map(sizes),
        }
    )
    total = employer_answers.totals(employer_answers.design(kept), {"api00": "Score"}).iloc[0]
    assert total["estimate"] / sizes.sum() == pytest.approx(662.2874, abs=1e-3)
    assert total["se"] / sizes.sum() == pytest.approx(9.4089, abs=1e-3)


def test_without_answers_every_table_is_empty_with_its_columns() -> None:
    kept, _ = employer_answers.counted(answers().iloc[:0], EMPLOYERS)
    assert employer_answers.design(kept) is None and employer_answers.design(kept.head(1)) is None
    pains = employer_answers.several(None, "pain_points", {"turnover": "People leave"})
    assert pains.empty and "percent" in pains
    solutions = pd.DataFrame(
        {
            "pain_point": ["turnover"],
            "root_cause": ["Shifts"],
            "solution": [None],
            "owner": [None],
            "due": [None],
        }
    )
    worked = employer_answers.worked(pains, solutions, {"turnover": "People leave"})
    assert worked["pain_label"].tolist() == ["People leave"] and worked["percent"].isna().all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["a", "b", "c"]), st.integers(0, 900)), max_size=25
    ),
    st.integers(1, 12),
    st.integers(0, 30),
)
def test_the_funnel_never_widens_upward(rows: list, months: int, memory: int) -> None:
    ladder = pd.DataFrame({"activity": ["a", "b", "c"], "level": [1, 2, 3], "label": ["x", "y", "z"]})
    records = pd.DataFrame(rows, columns=["employer", "activity", "date"])
    records["date"] = pd.Timestamp("2024-01-15") + pd.to_timedelta(records["date"].astype(int), unit="D")
    climb = employer_answers.funnel_over_time(
        employer_answers.levels_by_period(records, ladder, months, memory, 1), 3
    )
    assert climb.empty == records.empty
    first, second, third = (climb[f"level_{n}_count"] for n in (1, 2, 3))
    assert (first >= second).all() and (second >= third).all()
    assert climb.empty or (first <= records["employer"].nunique()).all()


# -- programs -------------------------------------------------------------------------------------------------

COHORTS = pd.DataFrame(
    [("P", "2026Q1", 20, 16, 12, 9, 1, 1000.0), ("Q", "2026Q2", 10, 5, 5, 5, 2, None),
     ("P", "2027Q1", 10, None, None, None, 1, 600.0), ("Q", "2027Q1", 8, None, None, None, 2, None)],
    columns=["program", "quarter", "enrolled", "completed", "certified", "placed", "quarters_to_complete", "cost_usd"],
)  # fmt: skip


def test_each_program_flows_at_its_own_rates_and_length() -> None:
    done, ahead = programs.finished(COHORTS), programs.coming(COHORTS)
    flow = programs.flow(ahead, done).set_index("quarter")
    assert [str(q) for q in flow.index] == ["2027Q1", "2027Q2", "2027Q3"]
    assert flow["enrolled"].tolist() == [18, 0, 0]
    assert flow["certified"].tolist() == pytest.approx([0, 10 * 12 / 20, 8 * 5 / 10])
    quarters = programs.quarters_of(flow.reset_index())
    assert [str(q) for q in quarters] == ["2027Q2", "2027Q3"]
    ready = programs.ready_draws(ahead, done, quarters, 4000, 1)
    # Jeffreys' mean of each rate is (s + 1/2) / (n + 1); 4,000 draws come within three percent of the product.
    jeffreys = [10 * 16.5 / 21 * 12.5 / 17, 8 * 5.5 / 11 * 5.5 / 6]
    assert ready.mean(axis=0) == pytest.approx(jeffreys, rel=0.03)
    assert programs.ready_share(programs.steps(done)) == pytest.approx(17 / 30)


def test_only_signed_commitments_count_and_a_lacking_view_is_not_balanced() -> None:
    signed = pd.DataFrame(
        {"quarter": ["2027Q2", "2027Q2"], "hires": [3, 5], "signed": pd.array([True, None], dtype="boolean")}
    )
    quarters = pd.PeriodIndex(["2027Q2", "2027Q3"], freq="Q")
    hires = programs.demand(quarters, np.nan, 0.2, 0.1, (40.0, 8.0), 0.5, signed)
    views = programs.view_totals(hires, dict.fromkeys(programs.VIEWS, "x"))
    assert views["hires_count"].fillna(-1).tolist() == [-1, 10, 3]
    done, ahead = programs.finished(COHORTS), programs.coming(COHORTS)
    assert programs.balanced(ahead, done, hires, "projected", 1, 0.8, 50, 1)[0].empty
    table, verdict = programs.balanced(ahead, done, hires, "plans", 1, 0.8, 50, 1)
    assert len(table) == 2 and 0 <= verdict["probability"] <= 1
    with pytest.raises(SectorbookError, match="share_of_plans is 2"):
        programs.demand(quarters, 1, 0.2, 0.1, (40.0, 8.0), 2, signed)


def test_money_in_kind_pays_no_bills_and_the_largest_source_is_missed() -> None:
    sources = pd.DataFrame(
        [("A", "public", 120.0, "2027-01", "2027-12"), ("B", "private_sector", 24.0, "2027-01", "2027-12"),
         ("C", "in_kind", 900.0, "2027-01", "2027-12")],
        columns=["source", "kind", "amount_usd", "start", "end"],
    )  # fmt: skip
    bills = programs.cash(sources)
    lines, runway = programs.plans_of_cash(bills, 8.0, 10.0, "", 12)
    assert (
        lines["balance"].iloc[-1] == pytest.approx(8 + 12 * 2)
        and programs.concentration(bills)["largest_source"] == "A"
    )
    assert dict(zip(runway["source"], runway["runway_without"].fillna(99), strict=True)) == {"A": 1, "B": 99}
    assert programs.plans_of_cash(bills, 0.0, np.nan, "", 12)[0].empty
    empty = programs.finished(COHORTS).iloc[:0]
    assert np.isnan(programs.monthly_cost(empty, pd.DataFrame({"cost_annual_usd": []}), 12))


def test_the_tornado_starts_from_the_best_size() -> None:
    done = programs.finished(COHORTS)
    hires = pd.DataFrame(
        {
            "quarter": pd.period_range("2027Q1", periods=4, freq="Q"),
            "source": "plans",
            "hires": 10.0,
            "se": 2.0,
        }
    )
    rates = programs.steps(done)
    base = sizing.assumptions(hires, "plans", rates, (5, 5))
    assert sizing.best_size(base) == pytest.approx(40 / (17 / 30))  # equal costs: the median of the hires
    swings = sizing.size_tornado(base, rates, 0.25)
    assert swings["at_base"].eq(sizing.best_size(base)).all() and swings["swing"].is_monotonic_decreasing
    assert sizing.assumptions(hires.assign(hires=np.nan), "plans", rates, (5, 5)) is None


OCCUPATIONS = pd.DataFrame(
    {"occupation_code": ["31-9092", "31-1131", "29-1141"], "employment": [1000.0, 400.0, None]}
)
PROJECTED = pd.DataFrame(
    {
        "occupation_code": ["31-9092", "29-1141"],
        "employment_base": [500.0, 0.0],
        "openings_annual": [60.0, 9.0],
    }
)


def test_openings_are_jobs_here_at_the_nations_rate_or_said_to_lack() -> None:
    cohorts = pd.DataFrame({"occupation_code": ["31-9092", "31-1131", None, "31-9092"]})
    table = sizing.target_openings(OCCUPATIONS, cohorts, PROJECTED, 0).set_index("occupation_code")
    assert table["openings"].tolist()[0] == 120 and np.isnan(table["openings"].tolist()[1])
    assert table["openings_status"].tolist() == ["published", sizing.NO_MATCH]
    assert sizing.openings_total(table) == 120
    none = sizing.target_openings(OCCUPATIONS, cohorts, PROJECTED.head(0), 0)
    assert set(none["openings_status"]) == {sizing.NOT_HERE} and np.isnan(sizing.openings_total(none))
    assumed = sizing.target_openings(OCCUPATIONS, cohorts, PROJECTED.head(0), 0.1)
    assert sizing.openings_total(assumed) == 140
    nurses = pd.DataFrame(
        {"occupation_code": ["29-1141"]}
    )  # no jobs published here, and none in the nation's base
    assert np.isnan(sizing.openings_total(sizing.target_openings(OCCUPATIONS, nurses, PROJECTED, 0)))


def test_a_projected_size_hangs_on_each_part_of_the_projection() -> None:
    done = programs.finished(COHORTS)
    rates = programs.steps(done)
    quarters = pd.period_range("2027Q1", periods=4, freq="Q")
    none = pd.DataFrame({"quarter": [], "hires": [], "signed": pd.array([], dtype="boolean")})
    hires = programs.demand(quarters, 800.0, 0.25, 0.05, (np.nan, np.nan), 0.5, none)
    base = sizing.assumptions(hires, "projected", rates, (5, 5), (800.0, 0.25, 0.05))
    assert sizing.best_size(base) == pytest.approx(800 * 0.05 / (17 / 30))
    swings = sizing.size_tornado(base, rates, 0.5).set_index("assumption_label")
    openings = swings.loc[sizing.ASSUMPTIONS["openings_annual"]]
    assert (openings["low"], openings["high"]) == (600, 1000)  # one standard error
    assert openings["at_high"] == pytest.approx(1000 * 0.05 / (17 / 30))
    reach = swings.loc[sizing.ASSUMPTIONS["share_reachable"]]
    assert reach["at_low"] == pytest.approx(openings["at_base"] / 2)
    whole = sizing.assumptions(hires, "projected", rates, (5, 5), (800.0, 0.25, 0.9))
    capped = sizing.size_tornado(whole, rates, 0.5).set_index("assumption_label")
    assert capped.loc[sizing.ASSUMPTIONS["share_reachable"], "high"] == 100
    together = sizing.assumptions(hires, "projected", rates, (9, 5))
    split = sizing.assumptions(hires, "projected", rates, (9, 5), (800.0, 0.25, 0.05))
    assert sizing.best_size(together) == pytest.approx(sizing.best_size(split))
    by_view = sizing.size_by_view(hires, rates, (5, 5), dict(zip(programs.VIEWS, "abc", strict=True)))
    assert by_view["enroll_year"].round(6).fillna(-1).tolist() == [round(40 / (17 / 30), 6), -1, 0]
    lacking = programs.demand(quarters, np.nan, 0.25, 0.05, (8.0, 1.0), 0.5, none)
    assert sizing.assumptions(lacking, "projected", rates, (5, 5), (np.nan, 0.25, 0.05)) is None
    lines = sizing.view_lines(lacking, programs.flow(programs.coming(COHORTS), done))
    assert "projected" not in lines and lines["plans"].tolist() == [1.0] * 4
    assert lines["plans_low"].iloc[0] == pytest.approx(1 - 1.2815515 * 0.125)
    assert lines["ready"].isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize("form", ["intervals", "bands", "tornado"])
def test_a_chart_without_rows_says_so(form: str) -> None:
    empty = pd.DataFrame(columns=["x", "a", "lo", "hi", "at_low", "at_high", "at_base"])
    drawn = {
        "intervals": lambda: charts.intervals(empty, "x", "a", "lo", "hi", "A", "T", "N"),
        "bands": lambda: charts.bands(empty, "x", {"a": "A"}, "A", "T", "N"),
        "tornado": lambda: charts.tornado(empty, "x", "A", "T", "N"),
    }[form]()
    assert "Nothing to show" in drawn.alt


def test_the_demonstration_reads_as_frames_of_the_stated_types() -> None:
    whose = origin.find("san-francisco", "healthcare", True)
    ties = warehouse.local("ties", whose)
    assert str(ties["reliability"].dtype) == "Int64" and ties["reliability"].isna().any()
    assert json.loads(ties["wave"].value_counts().to_json()).keys() == {"1", "2"}
