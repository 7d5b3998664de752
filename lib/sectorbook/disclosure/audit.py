"""The intruder: from everything that is published, bound each hidden cell as tightly as it can be bounded."""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sectorbook.disclosure.tables import SUM_TOLERANCE
from sectorbook.errors import SectorbookError

# A program without a limit has no answer; an end this many times the largest number or minimum is no limit.
FAR = 10.0
# A magnitude is taken as recovered when its interval is narrower than this share of it.
RECOVERED = 1e-3
# Solvers meet a bound to about 1e-7; one part in a million of the level asked for is that and no more.
SLACK = 1e-6


def _end(
    sign: float, place: int, rows: LinearConstraint, bounds: Bounds, integer: np.ndarray, far: float
) -> float:
    """Return the largest (sign 1) or smallest (sign -1) value at `place`, whole where counts are whole."""
    aim = np.zeros(len(integer))
    aim[place] = -sign
    for integrality in (np.zeros(len(integer)), integer.astype(float)):
        result = milp(aim, constraints=rows, bounds=bounds, integrality=integrality)
        if result.x is None:
            raise SectorbookError("What is published contradicts itself: no numbers fulfil all its sums.")
        whole = np.abs(result.x - np.round(result.x)) < 1e-6
        if whole[integer].all():
            break
    end = result.x[place]
    return sign * np.inf if abs(end) >= far * (1 - SLACK) else end


def intervals(
    low: pd.Series,
    high: pd.Series,
    relations: sparse.csr_array,
    integer: pd.Series,
    targets: pd.Index,
    largest: float,
) -> pd.DataFrame:
    """Return the least and the greatest value of each target that agrees with everything known.

    `low` and `high`, by address, are what is known of each cell: equal for a published cell, the natural limits
    for a hidden one, the rounding interval for a rounded one. `relations` is the matrix over the same cells whose
    rows sum to 0. `integer` marks counts: their ends are exact over whole numbers, not over fractions.
    `largest` is a number that no cell exceeds tenfold; an end beyond ten times it is given as infinite.
    Two mathematical programs for each target, solved by HiGHS. Frame by target: low, high.
    Raises SectorbookError when nothing fulfils the relations.
    """
    bottom, top = low.to_numpy(float), high.to_numpy(float)
    open_ = bottom < top
    known = np.where(open_, 0.0, bottom)
    rest = relations @ known
    far = FAR * largest
    whole = np.array(
        [not (known[relations[[row]].indices] % 1).any() for row in range(relations.shape[0])], dtype=bool
    )
    whole &= ~(abs(relations) @ (~integer.to_numpy() & open_).astype(float)).astype(bool)
    give = np.where(whole, 0.0, SUM_TOLERANCE * (abs(relations) @ np.abs(known)))
    hidden = np.flatnonzero(open_)
    part = relations[:, hidden]
    used = np.flatnonzero(abs(part) @ np.ones(len(hidden)))
    place_of = {address: place for place, address in enumerate(low.index[hidden])}
    # Each connected block is a program of its own; a cell in no relation is one by itself.
    graph = abs(part).T @ abs(part) + sparse.eye_array(len(hidden))
    _, block = sparse.csgraph.connected_components(graph, directed=False)
    found = []
    for target in targets:
        if target not in place_of:
            found.append((low[target], high[target]))
            continue
        mine = np.flatnonzero(block == block[place_of[target]])
        at = int(np.searchsorted(mine, place_of[target]))
        rows = used[np.isin(used, np.unique(part[:, mine].nonzero()[0]))]
        cells = hidden[mine]
        bounds = Bounds(np.maximum(bottom[cells], -far), np.minimum(top[cells], far))
        constraint = LinearConstraint(part[rows][:, mine], -rest[rows] - give[rows], -rest[rows] + give[rows])
        whole_cells = integer.to_numpy()[cells]
        ends = [_end(sign, at, constraint, bounds, whole_cells, far) for sign in (-1.0, 1.0)]
        found.append((ends[0], ends[1]))
    return pd.DataFrame(found, index=targets, columns=["low", "high"])


def shortfall(found: pd.DataFrame, cells: pd.DataFrame, needs: pd.DataFrame) -> pd.Series:
    """Return what is wrong with each interval, by address: "recoverable", "too narrow" or "".

    `found` as from `intervals`; `needs` as from `rules.primary`. A hidden cell without a need only must not be
    recoverable: a count must leave two whole numbers open, a magnitude a thousandth of itself.
    """
    value = cells["value"].reindex(found.index)
    counts = cells["kind"].reindex(found.index) == "count"
    width = found["high"] - found["low"]
    need = needs[["up", "down", "width"]].reindex(found.index).fillna(0.0)
    give = SLACK * (1 + value.abs())
    narrow = (
        (found["high"] < value + need["up"] - give)
        | (found["low"] > value - need["down"] + give)
        | (width < need["width"] - give)
    )
    recovered = width < np.where(counts, 1 - SLACK, RECOVERED * value.abs().clip(lower=SLACK))
    return pd.Series(np.where(recovered, "recoverable", np.where(narrow, "too narrow", "")), found.index)
