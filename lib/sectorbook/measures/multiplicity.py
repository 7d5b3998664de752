"""Many outcomes or subgroups, one study: p-values that count how often one looked."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import numbers

METHODS = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}


def adjust(p_values: Sequence[float], method: str = "holm") -> np.ndarray:
    """Return adjusted p-values, in the order given; a missing p stays missing and is not counted as a look.

    "holm" holds the chance of any false finding (Holm 1979); "benjamini-hochberg" the expected share of false findings among
    those claimed (1995). By statsmodels.
    """
    if method not in METHODS:
        raise unknown("multiplicity method", method, METHODS)
    p = np.asarray(p_values, dtype=float)
    if ((p < 0) | (p > 1)).any():
        raise SectorbookError("A p-value lies between 0 and 1.")
    out, there = np.full(p.shape, np.nan), np.isfinite(p)
    if there.any():
        out[there] = multipletests(p[there], method=METHODS[method])[1]
    return out


def westfall_young(
    frame: pd.DataFrame, outcomes: Sequence[str], treatment: str, draws: int = 4999, seed: int = 0
) -> pd.DataFrame:
    """Return step-down Westfall–Young p-values for the treatment's effect on several outcomes.

    Westfall & Young 1993, algorithm 4.1 (maxT): all outcomes are compared on the same redrawn assignments, so outcomes that move
    together cost less than under Holm. Statistic: studentized difference in means. Columns: `outcome`, `estimate`,
    `p_value` (its own randomization p), `p_adjusted`.
    """
    if len(outcomes) == 0:
        raise SectorbookError("Name the outcomes to test.")
    y, t = numbers(frame, list(outcomes)), numbers(frame, [treatment])[:, 0]
    if not np.isin(t, (0, 1)).all() or min(t.sum(), len(t) - t.sum()) < 2:
        raise SectorbookError(f"Column {treatment!r} must hold 1 or 0, with two of each or more.")
    y = y - y.mean(axis=0)
    rng = np.random.default_rng(seed)
    estimate, observed = _studentized(y, t[None, :])

    def redrawn() -> Iterator[np.ndarray]:
        for batch in _batches(draws, len(t)):
            fresh = rng.permuted(np.broadcast_to(t, (batch, len(t))).copy(), axis=1)
            yield _studentized(y, fresh)[1]

    single, adjusted = _step_down(observed[0], redrawn(), draws)
    return pd.DataFrame(
        {"outcome": list(outcomes), "estimate": estimate[0], "p_value": single, "p_adjusted": adjusted}
    )


def westfall_young_groups(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    group: str,
    block: str,
    draws: int = 4999,
    seed: int = 0,
) -> pd.DataFrame:
    """Return step-down Westfall–Young p-values for the treatment's effect on one outcome in several groups of people.

    As `westfall_young`, with a statistic a group. Assignments are redrawn within each group and `block` (the site people were
    assigned in), so that the numbers in each stay as they are. Columns: `group`, `estimate`, `p_value`, `p_adjusted`. Raises
    SectorbookError for a group with fewer than two people on a side.
    """
    values = numbers(frame, [outcome, treatment])
    y, t = values[:, 0], values[:, 1]
    codes, names = pd.factorize(frame[group])
    members = [np.flatnonzero(codes == code) for code in range(len(names))]
    cells = [np.asarray(rows) for rows in frame.groupby([group, block], observed=True).indices.values()]
    for name, rows in zip(names, members, strict=True):
        if not np.isin(t[rows], (0, 1)).all() or min(t[rows].sum(), (1 - t[rows]).sum()) < 2:
            raise SectorbookError(
                f"Group {name!r} of {group!r} needs two people or more on each side of {treatment!r}."
            )
    rng = np.random.default_rng(seed)

    def compared(assignments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [_studentized((y[r] - y[r].mean())[:, None], assignments[:, r]) for r in members]
        return tuple(np.column_stack([part[i][:, 0] for part in found]) for i in (0, 1))

    def redrawn() -> Iterator[np.ndarray]:
        for batch in _batches(draws, len(t)):
            fresh = np.empty((batch, len(t)))
            for rows in cells:
                fresh[:, rows] = rng.permuted(np.broadcast_to(t[rows], (batch, len(rows))).copy(), axis=1)
            yield compared(fresh)[1]

    estimate, observed = compared(t[None, :])
    single, adjusted = _step_down(observed[0], redrawn(), draws)
    return pd.DataFrame({"group": names, "estimate": estimate[0], "p_value": single, "p_adjusted": adjusted})


def _batches(draws: int, people: int) -> Iterator[int]:
    size = max(1, min(draws, 4_000_000 // people))
    for start in range(0, draws, size):
        yield min(size, draws - start)


def _step_down(
    observed: np.ndarray, redrawn: Iterator[np.ndarray], draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return each statistic's own p and its step-down maxT p, from `redrawn` statistics (draws × statistics)."""
    observed = np.abs(observed)
    order = np.argsort(-observed)
    limit = observed[order] * (1 - 1e-12)
    single, maximal = np.zeros(len(order)), np.zeros(len(order))
    for drawn in redrawn:
        null = np.abs(drawn)[:, order]
        single += (null >= limit).sum(axis=0)
        running = np.maximum.accumulate(null[:, ::-1], axis=1)[:, ::-1]
        maximal += (running >= limit).sum(axis=0)
    back = np.argsort(order)
    adjusted = np.maximum.accumulate((1 + maximal) / (1 + draws))
    return ((1 + single) / (1 + draws))[back], adjusted[back]


def _studentized(y: np.ndarray, assignments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return differences in means and their Neyman t, assignments × outcomes (outcomes centred)."""
    n, n1 = len(y), assignments.sum(axis=1, keepdims=True)
    n0 = n - n1
    s1, q1 = assignments @ y, assignments @ y**2
    mean1, mean0 = s1 / n1, -s1 / n0
    v1 = (q1 - n1 * mean1**2) / (n1 - 1)
    v0 = ((y**2).sum(axis=0) - q1 - n0 * mean0**2) / (n0 - 1)
    spread = np.sqrt(np.maximum(v1, 0) / n1 + np.maximum(v0, 0) / n0)
    gap = mean1 - mean0
    return gap, np.divide(gap, spread, out=np.where(gap == 0, 0.0, np.inf), where=spread > 0)
