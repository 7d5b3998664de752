"""Tests that lean on the draw itself, not on a sampling model; exact with very few units."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import special, stats

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import numbers, prepare

STATISTICS = ("difference", "studentized", "rank")
EXACT_ASSIGNMENTS = 20_000
"""Up to this many possible assignments all are used, and the p-value is exact."""


@dataclass(frozen=True)
class PermutationTest:
    """Result of a randomization or permutation test. `smallest_p` is the least p this design can ever give."""

    statistic: str
    observed: float
    p_value: float
    assignments: int
    exact: bool
    smallest_p: float
    n_treated: int
    n_comparison: int


def randomization_test(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    statistic: str = "studentized",
    block: str | None = None,
    cluster: str | None = None,
    draws: int = 9999,
    seed: int = 0,
) -> PermutationTest:
    """Test that the programme changed nobody's outcome, by drawing the assignment again (Fisher 1935; Wu & Ding 2021).

    Counts treated are kept, within `block` when given; whole clusters are assigned when `cluster` is given (outcomes are then
    cluster means). `statistic`: "difference" in means; "studentized" (divided by its Neyman error, valid also against "no
    average effect"); "rank" (sum of ranks). Two-sided p = (1 + draws at least as extreme)/(1 + draws); exact over all
    assignments when there are at most `EXACT_ASSIGNMENTS` and no blocks.
    """
    if statistic not in STATISTICS:
        raise unknown("test statistic", statistic, STATISTICS)
    data = prepare(frame, outcome, treatment)
    y, t = data.y, data.t
    labels = np.zeros(len(y), dtype=int) if block is None else _codes(frame, block)
    if cluster is not None:
        y, t, labels = _to_clusters(y, t, labels, _codes(frame, cluster), cluster, treatment)
    if statistic == "rank":
        y = stats.rankdata(y)
    count = int(t.sum())
    total = special.comb(len(t), count, exact=True) if block is None else None
    exact = total is not None and total <= EXACT_ASSIGNMENTS
    observed = float(_statistics(y, t[None, :], labels, statistic)[0])
    limit = abs(observed) * (1 - 1e-12)
    if exact:
        every = np.zeros((total, len(t)))
        chosen = _combinations(len(t), count)
        np.put_along_axis(every, chosen, 1.0, axis=1)
        extreme = int((np.abs(_statistics(y, every, labels, statistic)) >= limit).sum())
        p, used = extreme / total, total
    else:
        rng, extreme, done = np.random.default_rng(seed), 0, 0
        size = max(1, min(draws, 4_000_000 // len(t)))
        while done < draws:
            batch = min(size, draws - done)
            extreme += int(
                (np.abs(_statistics(y, _draw(t, labels, batch, rng), labels, statistic)) >= limit).sum()
            )
            done += batch
        p, used = (1 + extreme) / (1 + draws), draws
    smallest = (2 if 2 * count == len(t) else 1) / total if exact else 1 / (1 + draws)
    return PermutationTest(statistic, observed, p, used, exact, smallest, count, len(t) - count)


def _codes(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame.columns:
        raise unknown("column", column, [str(c) for c in frame.columns])
    return pd.factorize(frame[column])[0]


def _to_clusters(
    y: np.ndarray, t: np.ndarray, labels: np.ndarray, codes: np.ndarray, cluster: str, treatment: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    grouped = pd.DataFrame({"y": y, "t": t, "b": labels}).groupby(codes)
    if (grouped[["t", "b"]].nunique() > 1).any().any():
        raise SectorbookError(
            f"{treatment!r} (or the block) differs within a {cluster}; clusters must be assigned whole."
        )
    means = grouped.mean()
    return means["y"].to_numpy(), means["t"].to_numpy(), means["b"].to_numpy().astype(int)


def _combinations(n: int, k: int) -> np.ndarray:
    return np.array(list(combinations(range(n), k)), dtype=int).reshape(-1, k)


def _draw(t: np.ndarray, labels: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return `draws` fresh assignments that keep each block's treated count."""
    out = np.empty((draws, len(t)))
    for b in np.unique(labels):
        members = np.flatnonzero(labels == b)
        out[:, members] = rng.permuted(np.broadcast_to(t[members], (draws, len(members))).copy(), axis=1)
    return out


def _statistics(y: np.ndarray, assignments: np.ndarray, labels: np.ndarray, statistic: str) -> np.ndarray:
    """Return the statistic of each assignment: block differences weighted by block size, and their error."""
    estimate = np.zeros(len(assignments))
    variance = np.zeros(len(assignments))
    for b in np.unique(labels):
        members = labels == b
        yb, a = y[members] - y[members].mean(), assignments[:, members]
        n, n1 = members.sum(), a.sum(axis=1)
        n0, share = n - n1, members.mean()
        if (n1 == 0).any() or (n0 == 0).any():
            raise SectorbookError(
                "A block has only treated or only comparison people; nothing can be drawn again there."
            )
        s1, q1 = a @ yb, a @ yb**2
        mean1, mean0 = s1 / n1, (yb.sum() - s1) / n0
        estimate += share * (mean1 - mean0)
        if statistic == "studentized":
            if (n1 < 2).any() or (n0 < 2).any():
                raise SectorbookError(
                    "statistic='studentized' needs two on each side (of every block); use 'difference'."
                )
            v1 = (q1 - n1 * mean1**2) / (n1 - 1)
            v0 = ((yb**2).sum() - q1 - n0 * mean0**2) / (n0 - 1)
            variance += share**2 * (np.maximum(v1, 0) / n1 + np.maximum(v0, 0) / n0)
    if statistic != "studentized":
        return estimate
    spread = np.sqrt(variance)
    return np.divide(estimate, spread, out=np.where(estimate == 0, 0.0, np.inf), where=spread > 0)


def sign_flip_test(frame: pd.DataFrame, before: str, after: str) -> PermutationTest:
    """Test paired changes of a handful of firms exactly: every pattern of signs of the changes (Fisher 1935).

    Two-sided on the mean change, by scipy. With n pairs p can be no smaller than 2/2ⁿ: four firms give at best 0.125, so "not
    significant" then says nothing about the programme. Raises SectorbookError above 20 pairs (use a paired t).
    """
    change = np.subtract(*numbers(frame, [after, before]).T)
    n = len(change)
    if not 2 <= n <= 20:
        raise SectorbookError(f"The exact sign test is for 2 to 20 pairs; found {n}.")
    test = stats.permutation_test(
        (change,),
        np.mean,
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="two-sided",
        vectorized=True,
    )
    return PermutationTest(
        "mean change", float(test.statistic), float(test.pvalue), 2**n, True, 2 / 2**n, n, 0
    )


def exact_two_sample(frame: pd.DataFrame, outcome: str, treatment: str) -> PermutationTest:
    """Test a difference in means of very few units over all assignments (exact; see `PermutationTest.smallest_p`).

    With two firms of four treated there are six assignments and p is at best 2/6. Raises SectorbookError when the
    assignments are too many to count out.
    """
    values = numbers(frame, [outcome, treatment])
    total = special.comb(len(values), int(values[:, 1].sum()), exact=True)
    if total > EXACT_ASSIGNMENTS:
        raise SectorbookError(f"{total} assignments are too many for an exact test; use randomization_test.")
    return randomization_test(frame, outcome, treatment, "difference")
