"""The disclosure gate: rules by hand, patterns against an exhaustive search, ledgers against planted canaries."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sectorbook import disclosure
from sectorbook.disclosure import Cell, Ratio, Relation, Rules, audit, complementary, gate, rules, tables
from sectorbook.errors import SectorbookError

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "disclosure_gate.py"
_spec = importlib.util.spec_from_file_location("disclosure_gate", SCRIPT)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)


def broken(cell: Cell, own: Rules | None = None) -> pd.DataFrame:
    return rules.primary(tables.frame([cell]), {"": own or Rules()})


# -- primary rules ------------------------------------------------------------------------------------------------


def test_dominance_and_p_percent_protection_levels_are_the_handbook_s():
    # (2, 90): 100/90 x (800 + 150) - 1000 = 55.56. p = 10: 10% of 800 - (1000 - 950) = 30. The larger counts.
    found = broken(Cell("a", 1000, 12, "magnitude", (800.0, 150.0)))
    assert found.loc["a", "rule"] == rules.DOMINATED
    assert found.loc["a", "up"] == pytest.approx(100 / 90 * 950 - 1000)
    # Below 90 percent together, but the second can put the largest within 10 percent: 80 - (1000 - 930) = 10.
    found = broken(Cell("a", 1000, 12, "magnitude", (800.0, 130.0)), Rules(dominance_pct=95))
    assert (found.loc["a", "rule"], found.loc["a", "up"]) == (rules.ESTIMABLE, pytest.approx(10))
    assert broken(Cell("a", 1000, 12, "magnitude", (100.0, 90.0))).empty
    assert broken(Cell("a", 1000, 12, "magnitude")).loc["a", "rule"] == rules.UNKNOWN_SHARES


@pytest.mark.parametrize(
    ("n", "minimum", "hide_zeros", "sensitive"),
    [
        (9, 10, False, True),
        (10, 10, False, False),
        (0, 10, False, False),
        (0, 10, True, True),
        (12, 15, False, True),
    ],
)
def test_a_count_below_the_minimum_is_withheld(n, minimum, hide_zeros, sensitive):
    assert len(broken(Cell("a", n, n), Rules(minimum=minimum, hide_zeros=hide_zeros))) == sensitive


@pytest.mark.parametrize(
    ("n", "share", "sensitive"),
    [(10, 0.5, False), (9, 0.5, True), (49, 0.9, True), (50, 0.9, False), (900, 1.0, True)],
)
def test_a_quantile_needs_people_on_its_smaller_side(n, share, sensitive):
    assert len(broken(Cell("a", 41_000, n, "quantile", quantile=share))) == sensitive


# -- suppression and the intruder ---------------------------------------------------------------------------------


def two_way(counts: list[list[int]]) -> tuple[list[Cell], list[Relation]]:
    """Return a table with its margins as cells "row/column"."""
    inner = np.array(counts)
    full = np.block([[inner, inner.sum(1, keepdims=True)], [inner.sum(0), inner.sum()]])
    names = [[*map(str, range(n)), "All"] for n in inner.shape]
    keys = pd.DataFrame(list(itertools.product(*names)), columns=["row", "column"])
    keys.index = pd.Index(keys["row"] + "/" + keys["column"])
    cells = [Cell(a, int(v), int(v)) for a, v in zip(keys.index, full.ravel(), strict=True)]
    return cells, tables.margins(keys)


def attack(
    cells: list[Cell], relations: list[Relation], hidden: set[str], targets: list[str]
) -> pd.DataFrame:
    frame = tables.frame(cells)
    shown = frame["value"].where(~frame.index.isin(hidden))
    return audit.intervals(
        shown.fillna(1.0), shown.fillna(np.inf), tables.matrix(frame, relations), frame["kind"] == "count",
        pd.Index(targets), 1000.0,
    )  # fmt: skip


def test_the_intruder_bounds_a_cell_as_one_does_by_hand():
    cells, relations = two_way([[20, 50, 10], [8, 19, 22], [17, 32, 12]])
    hidden = {"1/0", "1/2", "2/0", "2/2"}
    # 1/0 + 1/2 = 30 and 1/0 + 2/0 = 25 and 2/0 + 2/2 = 29, each at least 1: 1/2 lies between 6 and 29.
    found = attack(cells, relations, hidden, ["1/2", "1/0"])
    assert found.loc["1/2"].tolist() == [6, 29]
    assert found.loc["1/0"].tolist() == [1, 24]
    alone = attack(cells, relations, {"1/0"}, ["1/0"])
    assert alone.loc["1/0"].tolist() == [8, 8]


def test_the_intruder_knows_that_people_are_whole():
    # a + d = 4, a = b + c, b = c: fractions leave 2 to 3 open, whole people only 2.
    cells = [Cell("t", 4, 4), Cell("a", 2, 2), Cell("d", 2, 2), Cell("b", 1, 1), Cell("c", 1, 1)]
    relations = [Relation("t", ("a", "d")), Relation("a", ("b", "c")), Relation("b", ("c",))]
    assert attack(cells, relations, {"a", "b", "c", "d"}, ["a"]).loc["a"].tolist() == [2, 2]
    outcome = disclosure.pass_cells(cells, relations)
    assert outcome.hidden == {"t", "a", "b", "c", "d"}


@pytest.mark.parametrize("seed", range(3))
def test_the_pattern_is_the_cheapest_of_all_patterns(seed):
    draw = np.random.default_rng(seed)
    counts = draw.integers(3, 40, size=(2, 3))
    counts[0, 0] = draw.integers(1, 10)
    cells, relations = two_way(counts.tolist())
    outcome = disclosure.pass_cells(cells, relations)
    assert outcome.cheapest
    frame = tables.frame(cells)
    cost = pd.Series(gate._cost(frame), frame.index)
    small = set(frame.index[frame["value"] < 10])
    linked = bench.LinkedTables(cells, relations)
    free = [a for a in frame.index if a not in small]
    ours = cost[list(outcome.hidden)].sum()
    tried = 0
    for size in range(len(outcome.hidden - small) + 1):
        for extra in itertools.combinations(free, size):
            hidden = small | set(extra)
            if cost[list(hidden)].sum() >= ours - 1e-6:
                continue
            tried += 1
            bounds = bench.recovered(linked, hidden, sorted(small))
            assert ((bounds["high"] < 10) | (bounds["high"] - bounds["low"] < 9)).any(), hidden
    assert tried


@pytest.mark.parametrize(
    ("need", "hidden"),
    [
        ((0, 1.0, 0.0, 0.0), [True, False, True, False]),
        ((0, 0.0, 1.0, 0.0), [True, False, True, False]),
        # Beside c, a could only lie between 1 and 4; beside b, between 1 and 101.
        ((0, 0.0, 0.0, 5.0), [True, True, False, False]),
        ((0, 5.0, 0.0, 0.0), [True, True, False, False]),
    ],
)
@pytest.mark.parametrize("way", [complementary.fewest, complementary.one_by_one])
def test_each_part_of_a_need_is_met(need, hidden, way):
    value = np.array([2.0, 100.0, 3.0, 105.0])
    problem = complementary.Problem(
        sparse.csr_array([[1.0, 1.0, 1.0, -1.0]]), 1 - value, np.full(4, np.inf), np.array([1.0, 1.8, 1.1, 2.0]),
        np.array([True, False, False, False]), (need,),
    )  # fmt: skip
    assert way(problem).tolist() == hidden


def test_a_number_that_stands_twice_is_one_number():
    keys = pd.DataFrame({"sex": ["All", "f", "m", "All"]}, index=["a", "b", "c", "d"])
    assert tables.margins(keys) == [Relation("a", ("b", "c")), Relation("a", ("d",))]


@pytest.mark.parametrize("exact_size", [complementary.EXACT_SIZE, 0])
def test_no_hidden_cell_of_random_linked_tables_is_recoverable(exact_size, monkeypatch):
    monkeypatch.setattr(complementary, "EXACT_SIZE", exact_size)
    found = bench.summary([bench.trial(seed) for seed in (0, 1, 9, 11)])
    assert found["sensitive cells"] > 5
    assert found["sensitive cells recovered when only they are hidden"] > 0
    assert found["hidden cells recovered, gate"] == 0
    assert found["sensitive cells bounded too tightly, gate"] == 0
    assert found["cells kept, gate (percent)"] > found["cells kept, naive rule (percent)"]


@settings(deadline=None, max_examples=8)
@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=2, max_size=3))
def test_magnitudes_keep_their_protection_intervals(payroll):
    # One firm pays each payroll alone when it is below 8, ten equal ones otherwise.
    inner, relations = two_way(payroll)
    cells = []
    for cell in inner:
        firms = 0 if cell.value == 0 else 1 if cell.value < 8 and "All" not in cell.address else 20
        top = (float(cell.value),) if firms == 1 else (cell.value / 20,) * 2
        cells.append(
            Cell(cell.address, 1000.0 * cell.value, firms, "magnitude", tuple(1000 * x for x in top))
        )
    outcome = disclosure.pass_cells(cells, relations)
    frame = tables.frame(cells)
    needs = rules.primary(frame, {"": Rules()})
    assert set(needs.index) <= outcome.hidden
    assert not set(frame.index[frame["value"] == 0]) & outcome.hidden
    published = frame["value"].where(~frame.index.isin(outcome.hidden))
    found = audit.intervals(
        published.fillna(0.0), published.fillna(np.inf), tables.matrix(frame, relations),
        pd.Series(False, frame.index), needs.index, 1e6,
    )  # fmt: skip
    give = 1.0
    value = frame["value"][needs.index]
    assert (found["high"] >= value + needs["up"] - give).all()
    assert (found["low"] <= value - needs["down"] + give).all()


def test_the_gate_does_not_trust_the_search(monkeypatch):
    cells, relations = two_way([[20, 50, 10], [8, 19, 0], [17, 32, 12]])
    monkeypatch.setattr(complementary, "solve", lambda problem: (problem.hidden.copy(), True))
    outcome = disclosure.pass_cells(cells, relations)
    # A search that hides nothing more is found out, and every linked cell but the zero goes.
    assert outcome.hidden == {cell.address for cell in cells if cell.value}
    assert not outcome.cheapest
    monkeypatch.setattr(audit, "shortfall", lambda found, *_: pd.Series("recoverable", found.index))
    with pytest.raises(SectorbookError, match="cannot be protected"):
        disclosure.pass_cells(cells, relations)


def test_a_share_goes_with_its_numerator_and_with_the_few_left_over():
    enrolled, placed = Cell("enrolled", 40, 40), Cell("placed", 38, 38)
    outcome = disclosure.pass_cells([enrolled, placed], [], [Ratio("rate", "placed", "enrolled", 100)])
    # Two of forty were not placed: 38 and 40 cannot both stand, nor the rate beside either.
    assert "rate" in outcome.hidden
    assert len(outcome.hidden & {"placed", "enrolled"}) >= 1
    fine = disclosure.pass_cells(
        [enrolled, Cell("placed", 25, 25)], [], [Ratio("rate", "placed", "enrolled", 100)]
    )
    assert fine.hidden == frozenset()


def test_regions_published_together_are_protected_together():
    cells = [Cell("both", 50, 50), Cell("a", 8, 8, region="a"), Cell("b", 42, 42, region="b")]
    assert disclosure.pass_cells(cells, []).hidden == {"a"}
    assert len(disclosure.pass_cells(cells, [Relation("both", ("a", "b"))]).hidden) == 2
    assert not disclosure.pass_cells(cells, [], by_region={"a": Rules(minimum=5)}).hidden


def test_sums_that_do_not_hold_are_refused_without_the_values():
    with pytest.raises(SectorbookError, match="do not add up") as error:
        disclosure.pass_cells([Cell("t", 4711, 4711), Cell("a", 4000, 4000)], [Relation("t", ("a",))])
    assert "4711" not in str(error.value)
