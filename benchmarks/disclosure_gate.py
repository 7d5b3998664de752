"""Random linked table sets through the gate; an intruder who sees only what is published tries each of them.

Run: python benchmarks/disclosure_gate.py [sets] [first seed]

Each set is a block of invented counts by region and two to three traits, published as several two-way and
three-way tables that share their margins. The intruder here is written apart from the gate's own: it holds the
published numbers alone and solves for each hidden one.

The naive rule it is compared with: hide each small cell, and every cell of its row and its column, totals too.
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
from sectorbook.disclosure.rules import Rules
from sectorbook.disclosure.tables import Cell, Relation, margins

TRAITS = ("region", "sex", "site", "barrier")


@dataclass(frozen=True)
class LinkedTables:
    """One random set: its cells, their relations, and the breakdown of each cell."""

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


def linked_tables(seed: int) -> LinkedTables:
    """Return a random set of linked tables of counts of 0 to about 200 people."""
    draw = np.random.default_rng(seed)
    n_traits = int(draw.integers(2, 5))
    traits = TRAITS[:n_traits]
    levels = [int(draw.integers(2, 6 if n_traits < 4 else 4)) for _ in traits]
    mean = draw.choice([8, 20, 60])
    share = [draw.dirichlet(np.full(n, 2.0)) for n in levels]
    expected = mean * np.prod(levels) * reduce(np.multiply.outer, share)
    counts = draw.poisson(expected)
    tables = [t for size in (2, 3) for t in itertools.combinations(range(n_traits), size)]
    tables = [t for t in tables if np.prod([levels[i] + 1 for i in t]) <= 60]
    chosen = draw.choice(len(tables), size=min(len(tables), int(draw.integers(1, 4))), replace=False)
    keys: dict[tuple, int] = {}
    for table in sorted(chosen):
        for key in itertools.product(*(["All", *range(n)] for n in levels)):
            if all(key[i] == "All" for i in range(n_traits) if i not in tables[table]):
                index = tuple(slice(None) if k == "All" else k for k in key)
                keys[key] = int(counts[index].sum())
    frame = pd.DataFrame([[str(k) for k in key] for key in keys], columns=list(traits))
    frame.index = pd.Index(["/".join(row) for row in frame.to_numpy()])
    cells = [Cell(address, value, value) for address, value in zip(frame.index, keys.values(), strict=True)]
    return LinkedTables(cells, margins(frame))


def recovered(found: LinkedTables, hidden: set[str]) -> pd.DataFrame:
    """Return the bounds an intruder puts on each hidden cell from the published ones, by address: low, high."""
    published = {cell.address: cell.value for cell in found.cells if cell.address not in hidden}
    unknown = sorted(hidden)
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
    for address in unknown:
        aim = np.zeros(len(unknown))
        aim[place[address]] = 1
        pair = []
        for sign in (1, -1):
            result = linprog(sign * aim, A_eq=rows[kept], b_eq=right[kept], bounds=(1, 1e5), method="highs")
            pair.append(result.x[place[address]])
        ends.append((np.ceil(pair[0] - 1e-6), np.floor(pair[1] + 1e-6)))
    return pd.DataFrame(ends, index=unknown, columns=["low", "high"])


def naive(found: LinkedTables, small: set[str]) -> set[str]:
    """Return what the naive rule hides: every row and column of a small cell, totals too; zeros stay."""
    zero = {cell.address for cell in found.cells if cell.value == 0}
    lines = [{relation.total, *relation.parts} for relation in found.relations]
    touched = [line for line in lines if line & small]
    return small | set().union(*touched) - zero


def trial(seed: int) -> Trial:
    """Return how the gate, the naive rule and hiding small cells alone fare on the set of `seed`."""
    found = linked_tables(seed)
    rules = Rules()
    small = {cell.address for cell in found.cells if 0 < cell.value < rules.minimum}
    outcome = pass_cells(found.cells, found.relations, default=rules)
    bounds = recovered(found, set(outcome.hidden))
    exact = bounds["low"] == bounds["high"]
    of_small = bounds.loc[sorted(small)]
    narrow = (of_small["high"] < rules.minimum) | (of_small["high"] - of_small["low"] < rules.minimum - 1)
    rough = naive(found, small)
    alone, by_line = recovered(found, small), recovered(found, rough).loc[sorted(small)]
    n = len(found.cells)
    return Trial(
        n, len(small), n - len(outcome.hidden), int(exact.sum()), int(narrow.sum()), outcome.cheapest,
        n - len(rough), int((alone["low"] == alone["high"]).sum()),
        int((by_line["low"] == by_line["high"]).sum()),
    )  # fmt: skip


def summary(trials: list[Trial]) -> dict[str, float]:
    """Return the totals over trials, shares in percent."""
    cells = sum(t.cells for t in trials)
    return {
        "table sets": len(trials),
        "cells": cells,
        "small cells": sum(t.small for t in trials),
        "hidden cells recovered, gate": sum(t.recovered for t in trials),
        "small cells bounded too tightly, gate": sum(t.narrow for t in trials),
        "small cells recovered when only they are hidden": sum(t.recovered_small_only for t in trials),
        "small cells recovered, naive rule": sum(t.recovered_naive for t in trials),
        "cells kept, small ones hidden alone (percent)": 100 * (1 - sum(t.small for t in trials) / cells),
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
        sys.stdout.write(f"{name:55s} {value:12,.1f}\n")


if __name__ == "__main__":
    main()
