"""Complementary suppression: which further cells must go so that no sum gives a withheld one away.

The problem and the cuts are those of Fischetti and Salazar (2001), "Solving the cell suppression problem on tabular
data with linear constraints", Management Science 47(7), 1008-1027: the smallest set of cells such that, for each
sensitive cell, an intruder who knows all the others is left with an interval of the required width. A problem too
large for that is protected cell by cell with the linear program of Kelly, Golden and Assad (1992), "Cell
suppression: disclosure protection for sensitive tabular data", Networks 22(4), 397-417, which hides more but
protects as well.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

# Above this many cells that may be hidden or not, times sensitive ones, the exact search is not tried.
EXACT_SIZE = 2000
# Rounds of the exact search, and branches in each, before the best pattern found so far is taken.
EXACT_ROUNDS = 40
EXACT_NODES = 2000
# Programs spent on showing again what a cell-by-cell pattern hides without need.
REVEAL_SIZE = 1500
# A hidden cell costs a solver this much against about 1 for another cell, so that idle moves are avoided.
FREE = 1e-4
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Problem:
    """One block of linked cells, as arrays over its cells.

    `relations` times values is 0. An intruder can move a hidden cell by `down` (at most 0) to `up` (at least 0).
    `cost` is what is lost by hiding a cell; infinite where it must be shown. `hidden` are hidden already. `needs`
    lists sensitive cells as (cell, up, down, width).
    """

    relations: sparse.csr_array
    down: np.ndarray
    up: np.ndarray
    cost: np.ndarray
    hidden: np.ndarray
    needs: tuple[tuple[int, float, float, float], ...]


def _reach(
    problem: Problem, hidden: np.ndarray, cell: int, sign: int, cap: float
) -> tuple[float, np.ndarray]:
    """Return how far `cell` can move up (sign 1) or down (-1), at most `cap`, and each cell's price in that."""
    places = np.flatnonzero(hidden)
    part = problem.relations[:, places]
    rows = np.flatnonzero(np.diff(part.indptr))
    part = part[rows]
    low, high = problem.down[places].copy(), problem.up[places].copy()
    at = int(np.searchsorted(places, cell))
    aim = np.zeros(len(places))
    aim[at] = -sign
    low[at], high[at] = max(low[at], -cap), min(high[at], cap)
    result = linprog(
        aim, A_eq=part, b_eq=np.zeros(part.shape[0]), bounds=np.column_stack([low, high]), method="highs"
    )
    whole = np.zeros(len(hidden))
    whole[cell] = -sign
    dual = np.zeros(problem.relations.shape[0])
    dual[rows] = result.eqlin.marginals
    price = problem.relations.T @ dual - whole
    return abs(result.x[at]), price


def _unmet(problem: Problem, hidden: np.ndarray, need: tuple) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """Return each part of a need that the pattern `hidden` leaves unmet: what is asked, and both ways' prices."""
    cell, up, down, width = need
    cap = max(up, down, width)
    nothing = np.zeros(len(hidden))
    slack = TOLERANCE * (1 + cap)
    above, price_above = _reach(problem, hidden, cell, 1, cap)
    if above >= max(up, width) - slack and down <= 0:
        return []
    below, price_below = _reach(problem, hidden, cell, -1, cap)
    unmet = []
    if above < up - slack:
        unmet.append((up, price_above, nothing))
    if below < down - slack:
        unmet.append((down, nothing, price_below))
    if above + below < width - slack:
        unmet.append((width, price_above, price_below))
    return unmet


def _bound(problem: Problem, price: np.ndarray) -> np.ndarray:
    """Return by how much hiding each cell can widen the interval, from its price in the intruder's program."""
    active = np.abs(price) > TOLERANCE
    room = np.where(price > 0, problem.up, -problem.down)
    return np.where(active, np.abs(price) * np.where(active, room, 0.0), 0.0)


def _move(problem: Problem, hidden: np.ndarray, cell: int, by: float) -> np.ndarray | None:
    """Return the cells that a cheapest movement of `cell` by `by` passes through, or None where there is none."""
    n = len(hidden)
    may = np.isfinite(problem.cost)
    cost = np.where(hidden, FREE, np.where(may, problem.cost, 0.0))
    high = np.where(may | hidden, problem.up, 0.0)
    low = np.where(may | hidden, -problem.down, 0.0)
    up, down = high.copy(), low.copy()
    least = np.zeros(2 * n)
    forward, backward = (cell, n + cell) if by > 0 else (n + cell, cell)
    limits = np.concatenate([up, down])
    if limits[forward] < abs(by) * (1 - TOLERANCE):
        return None
    least[forward] = limits[forward] = abs(by)
    limits[backward] = 0.0
    both = sparse.hstack([problem.relations, -problem.relations]).tocsr()
    result = linprog(
        np.concatenate([cost, cost]), A_eq=both, b_eq=np.zeros(both.shape[0]),
        bounds=np.column_stack([least, limits]), method="highs",
    )  # fmt: skip
    if result.x is None:
        return None
    return np.maximum(result.x[:n], result.x[n:]) > TOLERANCE


def _everything(problem: Problem) -> np.ndarray:
    return problem.hidden | np.isfinite(problem.cost)


def one_by_one(problem: Problem) -> np.ndarray:
    """Return a pattern that protects each sensitive cell, found cell by cell and then thinned out."""
    hidden = problem.hidden.copy()
    for cell, up, down, width in sorted(problem.needs, key=lambda need: (-max(need[1:]), need[0])):
        need = (cell, up, down, width)
        if not _unmet(problem, hidden, need):
            continue
        below = _reach(problem, _everything(problem), cell, -1, max(down, width))[0] if width else down
        for by in (up, -down, max(width - below, up), -min(below, width - up)):
            if abs(by) > 0 and _unmet(problem, hidden, need):
                through = _move(problem, hidden, cell, by)
                hidden = _everything(problem) if through is None else hidden | through
    extra = np.flatnonzero(hidden & ~problem.hidden)
    if len(extra) * len(problem.needs) > REVEAL_SIZE:
        return hidden
    for cell in extra[np.argsort(-problem.cost[extra], kind="stable")]:
        without = hidden.copy()
        without[cell] = False
        if not any(_unmet(problem, without, need) for need in problem.needs):
            hidden = without
    return hidden


def _pairs(problem: Problem) -> tuple[sparse.csr_array, np.ndarray]:
    """Return that a relation never has exactly one hidden cell, as rows that must be at least 0.

    A cell that is hidden already and not sensitive (one printed nowhere) may be worked out: it asks for nothing.
    """
    rows, columns, signs, count = [], [], [], 0
    may = _everything(problem)
    idle = problem.hidden.copy()
    idle[[need[0] for need in problem.needs]] = False
    for row in range(problem.relations.shape[0]):
        members = problem.relations[[row]].indices
        members = members[may[members]]
        for cell in members[~idle[members]]:
            rows += [count] * len(members)
            columns += list(members)
            signs += [-1.0 if member == cell else 1.0 for member in members]
            count += 1
    return sparse.coo_array((signs, (rows, columns)), shape=(count, len(may))).tocsr(), np.zeros(count)


def fewest(problem: Problem) -> np.ndarray | None:
    """Return the cheapest pattern, or None where the search was cut short.

    A search over patterns; each pattern is tried on every sensitive cell, and each failure adds the inequality
    that all patterns without it must fulfil.
    """
    may = np.isfinite(problem.cost)
    cost = np.where(problem.hidden | ~may, 0.0, problem.cost)
    limits = Bounds(problem.hidden.astype(float), (problem.hidden | may).astype(float))
    matrix, least = _pairs(problem)
    for _ in range(EXACT_ROUNDS):
        constraints = LinearConstraint(matrix, least, np.inf) if matrix.shape[0] else ()
        result = milp(
            cost, constraints=constraints, bounds=limits, integrality=np.ones(len(cost)),
            options={"node_limit": EXACT_NODES},
        )  # fmt: skip
        if result.status != 0:
            return None
        hidden = result.x > 0.5
        cuts = [cut for need in problem.needs for cut in _unmet(problem, hidden, need)]
        if not cuts:
            return hidden
        rows, bounds = [], []
        for asked, *prices in cuts:
            gain = sum(_bound(problem, price) for price in prices)
            given = gain[problem.hidden].sum()
            rows.append(np.where(problem.hidden, 0.0, np.minimum(gain, asked - given)))
            bounds.append(asked - given)
        scale = np.array(bounds)
        matrix = sparse.vstack([matrix, sparse.csr_array(np.array(rows) / scale[:, None])]).tocsr()
        least = np.concatenate([least, np.ones(len(rows)) - TOLERANCE])
    return None


def solve(problem: Problem) -> tuple[np.ndarray, bool]:
    """Return the pattern of hidden cells of a block, and whether it is the cheapest there is."""
    if not any(_unmet(problem, problem.hidden, need) for need in problem.needs):
        return problem.hidden.copy(), True
    free = int((np.isfinite(problem.cost) & ~problem.hidden).sum())
    pattern = fewest(problem) if free * len(problem.needs) <= EXACT_SIZE else None
    return (one_by_one(problem), False) if pattern is None else (pattern, True)
