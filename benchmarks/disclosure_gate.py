"""Random linked table sets through the gate; an intruder who sees only what is published tries each of them.

Run: python benchmarks/disclosure_gate.py [sets] [first seed]

Each set is a block of invented figures by region and one to three more traits, published as up to three two-way and
three-way tables that share their margins: counts of people, or in every fourth set payrolls of firms. The intruder
here is written apart from the gate's own: it holds the published numbers alone and solves for each hidden one.

The naive rule it is compared with: hide each sensitive cell, and every other cell of each sum it stands in (its row
and its column), the totals too, once.
"""

import itertools
import sys
import time
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from sectorbook.disclosure.gate import pass_cells
from sectorbook.disclosure.rules import Rules, primary
from sectorbook.disclosure.tables import COUNT, MAGNITUDE, Cell, Relation, frame, margins

TRAITS = ("region", "sex", "site", "barrier")


@dataclass(frozen=True)
class LinkedTables:
    """One random set: its cells and their relations."""

    cells: list[Cell]
    relations: list[Relation]


@dataclass(frozen=True)
class Trial:
    """What became of one set: shares kept are of the cells, recovered are cells an intruder could work out."""

    cells: int
    small: int
    kept: int
    recovered: int
    narrow: int
    cheapest: bool
    kept_naive: int
    recovered_small_only: int
    recovered_naive: int


def _payroll(firms: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return, for each block of firms, what each of them pays in a year, in whole thousands."""
    pays = np.empty(firms.shape, dtype=object)
    for place, n in np.ndenumerate(firms):
        pays[place] = np.ceil(draw.lognormal(6, 1.2, int(n)))
    return pays


def linked_tables(seed: int) -> LinkedTables:
    """Return a random set of linked tables: counts of 0 to a few hundred people, or payrolls of up to about 40 firms."""
    draw = np.random.default_rng(seed)
    n_traits = int(draw.integers(2, 5))
    traits = TRAITS[:n_traits]
    levels = [int(draw.integers(2, 6 if n_traits < 4 else 4)) for _ in traits]
    mean = draw.choice([3, 8, 20, 60])
    share = [draw.dirichlet(np.full(n, 2.0)) for n in levels]
    expected = mean * np.prod(levels) * reduce(np.multiply.outer, share)
    counts = draw.poisson(expected)
    if seed % 4 == 3:
        counts = counts // 3
    pays = _payroll(counts, draw) if seed % 4 == 3 else None
    tables = [t for size in (2, 3) for t in itertools.combinations(range(n_traits), size)]
    tables = [t for t in tables if np.prod([levels[i] + 1 for i in t]) <= 60]
    chosen = draw.choice(len(tables), size=min(len(tables), int(draw.integers(1, 4))), replace=False)
    found: dict[str, Cell] = {}
    keys = {}
    for table in sorted(chosen):
        for key in itertools.product(*(["All", *range(n)] for n in levels)):
            if all(key[i] == "All" for i in range(n_traits) if i not in tables[table]):
                address = "/".join(map(str, key))
                keys[address] = [str(k) for k in key]
                index = tuple(slice(None) if k == "All" else k for k in key)
                n = int(counts[index].sum())
                found[address] = Cell(address, n, n)
                if pays is not None:
                    blocks = pays[index].ravel() if "All" in key else [pays[index]]
                    each = np.sort(np.concatenate(blocks))[::-1]
                    found[address] = Cell(address, each.sum(), n, MAGNITUDE, tuple(each[:2]))
    return LinkedTables(
        list(found.values()), margins(pd.DataFrame.from_dict(keys, orient="index", columns=list(traits)))
    )


def recovered(found: LinkedTables, hidden: set[str], targets: list[str] | None = None) -> pd.DataFrame:
    """Return the bounds an intruder puts on hidden cells (or `targets` of them), by address: low, high."""
    published = {cell.address: cell.value for cell in found.cells if cell.address not in hidden}
    unknown = sorted(hidden)
    counts = found.cells[0].kind == COUNT
    far = 1e3 * max([1.0, *(cell.value for cell in found.cells)])
    place = {address: i for i, address in enumerate(unknown)}
    rows = np.zeros((len(found.relations), len(unknown)))
    right = np.zeros(len(found.relations))
    for row, relation in enumerate(found.relations):
        for sign, address in [(-1, relation.total), *((1, part) for part in relation.parts)]:
            if address in place:
                rows[row, place[address]] += sign
            else:
                right[row] -= sign * published[address]
    kept = np.any(rows != 0, axis=1)
    ends = []
    targets = unknown if targets is None else targets
    for address in targets:
        aim = np.zeros(len(unknown))
        aim[place[address]] = 1
        pair = []
        for sign in (1, -1):
            result = linprog(
                sign * aim, A_eq=rows[kept], b_eq=right[kept], bounds=(float(counts), far), method="highs"
            )
            pair.append(result.x[place[address]])
        ends.append((np.ceil(pair[0] - 1e-6), np.floor(pair[1] + 1e-6)) if counts else tuple(pair))
    return pd.DataFrame(ends, index=targets, columns=["low", "high"])


def naive(found: LinkedTables, small: set[str]) -> set[str]:
    """Return what the naive rule hides: every row and column of a small cell, totals too; zeros stay."""
    zero = {cell.address for cell in found.cells if cell.value == 0}
    lines = [{relation.total, *relation.parts} for relation in found.relations]
    touched = [line for line in lines if line & small]
    return small | set().union(*touched) - zero


def trial(seed: int) -> Trial:
    """Return how the gate, the naive rule and hiding sensitive cells alone fare on the set of `seed`."""
    found = linked_tables(seed)
    rules = Rules()
    cells = frame(found.cells)
    needs = primary(cells, {"": rules})
    small = set(needs.index)
    outcome = pass_cells(found.cells, found.relations, default=rules)
    bounds = recovered(found, set(outcome.hidden))
    of_small, value = bounds.loc[needs.index], cells["value"][needs.index]
    give = 1e-6 * (1 + value)
    narrow = (
        (of_small["high"] < value + needs["up"] - give)
        | (of_small["low"] > value - needs["down"] + give)
        | (of_small["high"] - of_small["low"] < needs["width"] - give)
    )
    rough = naive(found, small)
    n = len(found.cells)
    return Trial(
        n, len(small), n - len(outcome.hidden), _exact(bounds, cells), int(narrow.sum()), outcome.cheapest,
        n - len(rough), _exact(recovered(found, small), cells),
        _exact(recovered(found, rough, list(needs.index)), cells),
    )  # fmt: skip


def _exact(bounds: pd.DataFrame, cells: pd.DataFrame) -> int:
    """Return how many cells are bounded to one whole number, or to a thousandth of a payroll."""
    value = cells["value"][bounds.index]
    width = bounds["high"] - bounds["low"]
    return int((width < np.where(cells["kind"][bounds.index] == COUNT, 0.5, 1e-3 * value)).sum())


def summary(trials: list[Trial]) -> dict[str, float]:
    """Return the totals over trials, shares in percent."""
    cells = sum(t.cells for t in trials)
    return {
        "table sets": len(trials),
        "cells": cells,
        "sensitive cells": sum(t.small for t in trials),
        "hidden cells recovered, gate": sum(t.recovered for t in trials),
        "sensitive cells bounded too tightly, gate": sum(t.narrow for t in trials),
        "sensitive cells recovered when only they are hidden": sum(t.recovered_small_only for t in trials),
        "sensitive cells recovered, naive rule": sum(t.recovered_naive for t in trials),
        "cells kept, sensitive ones hidden alone (percent)": 100 * (1 - sum(t.small for t in trials) / cells),
        "cells kept, gate (percent)": 100 * sum(t.kept for t in trials) / cells,
        "cells kept, naive rule (percent)": 100 * sum(t.kept_naive for t in trials) / cells,
        "sets solved to the cheapest pattern (percent)": 100 * sum(t.cheapest for t in trials) / len(trials),
    }


def main() -> None:
    """Run the sets named on the command line and print the totals."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    start = time.perf_counter()
    lines = summary([trial(seed) for seed in range(first, first + sets)])
    lines["seconds"] = time.perf_counter() - start
    for name, value in lines.items():
        sys.stdout.write(f"{name:60s} {value:12,.1f}\n")


if __name__ == "__main__":
    main()
