"""Point estimates for suppressed QCEW cells, and a test of how good they are in a region's own data.

An estimate made here is flagged, and stands beside bounds that hold (`measures.suppression`). It is not data.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.suppression import KEY, Accounts, accounts, industry_parent, suppressed_bounds

FEWEST_ESTABLISHMENTS = 0.5  # a yearly average of no establishment can stand for one open part of the year
CREDIBILITY = 5.0  # establishments: from how many on an industry's own size counts more than its parent's
MAX_ROUNDS = 2000
SETTLED = 1e-3  # jobs: a round that moves no cell by more is the last


def estimate_suppressed(
    bounds: pd.DataFrame,
    area_members: Mapping[str, Sequence[str]] | None = None,
    rounding: float = 0.0,
    reference: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate suppressed cells so that every sum of the table is met.

    Start: establishments times jobs per establishment of the industry and ownership, from the table's disclosed cells
    and those of `reference` (same columns; the nation, for example), drawn to the parent industry's size where
    establishments are few. Then iterative proportional fitting: each kind of sum in turn scales its cells to its
    range, until all are met. Where the whole is suppressed too, whole and parts are scaled inversely, which is the
    Kullback-Leibler projection that proportional fitting is where the whole is known (Deming and Stephan 1940, Annals
    of Mathematical Statistics 11:427-444; Bregman 1967, USSR Computational Mathematics 7:200-217).

    `bounds` comes from `suppressed_bounds`, with the same `area_members` and `rounding`. Returns it with
    employment_estimate (jobs; disclosed cells keep theirs), within the bounds, and is_estimated.
    """
    books = accounts(bounds, area_members, rounding)
    jobs = _start(bounds, reference)[books.position]
    lower, upper = (bounds[f"employment_{end}"].to_numpy()[books.position] for end in ("lower", "upper"))
    sums = [_sum_of_kind(books, kind) for kind in dict.fromkeys(books.kind)]
    for _ in range(MAX_ROUNDS):
        before = jobs.copy()
        for one in sums:
            jobs = _fit(jobs, *one)
        if np.abs(jobs - before).max(initial=0.0) < SETTLED:
            break
    return _with_estimate(bounds, books, np.clip(jobs, lower, upper))


def proportional_fill(bounds: pd.DataFrame, rounding: float = 0.0) -> pd.DataFrame:
    """Fill suppressed cells from the top down by establishments: the usual way, here to compare with.

    What a whole leaves after its disclosed parts goes to its suppressed parts by their number of establishments.
    Arguments and result as in `estimate_suppressed`; neither bounds nor any sum but the one above a cell is kept.
    """
    books = accounts(bounds, rounding=rounding)
    sites = bounds["establishments"].to_numpy(dtype=float)[books.position].clip(FEWEST_ESTABLISHMENTS)
    jobs = np.full(len(books.position), np.nan)
    for kind in sorted(set(books.kind), key=lambda k: (k != "ownership", k)):
        part, whole, _, high, rows = _sum_of_kind(books, kind)
        left = high + np.bincount(whole[0], jobs[whole[1]], minlength=rows)
        weight = np.bincount(part[0], sites[part[1]], minlength=rows)
        shared = np.maximum(left, 0)[part[0]] * sites[part[1]] / weight[part[0]]
        new = np.isnan(jobs[part[1]])
        jobs[part[1][new]] = shared[new]
    return _with_estimate(bounds, books, jobs)


def hide_cells(
    cells: pd.DataFrame,
    share: float,
    seed: int,
    area_members: Mapping[str, Sequence[str]] | None = None,
    rounding: float = 0.0,
) -> pd.DataFrame:
    """Suppress disclosed cells the way BLS does, so that estimates can be compared with what was hidden.

    First `share` of the disclosed cells below the totals with jobs, drawn with odds of one over their establishments
    (few establishments reveal an employer). Then, until every sum has none or at least two suppressed members, the
    smallest disclosed part of a sum with just one, and the whole where there is no such part (secondary suppression:
    a lone gap is found by subtraction). `cells` as in `accounts`. Returns it with `suppressed` extended and `hidden`.
    """
    if not 0 < share < 1:
        raise SectorbookError(f"share must lie between 0 and 1; got {share}.")
    cells = cells.reset_index(drop=True)
    jobs = cells["employment"].fillna(0).to_numpy(dtype=float)
    free = (~cells["suppressed"] & (cells["industry_code"] != "10") & (jobs > 0)).to_numpy()
    odds = free / cells["establishments"].clip(lower=1).to_numpy(dtype=float)
    count = round(share * free.sum())
    if count == 0:
        raise SectorbookError(f"Nothing to hide: {free.sum()} disclosed cells below the totals.")
    drawn = np.random.default_rng(seed).choice(len(cells), size=count, replace=False, p=odds / odds.sum())
    suppressed = cells["suppressed"].to_numpy().copy()
    suppressed[drawn] = True
    # Every cell as if suppressed gives every sum; its columns are then the table's rows.
    every = accounts(cells.assign(suppressed=True), area_members, rounding).matrix
    while True:
        lone = np.flatnonzero(abs(every) @ suppressed.astype(float) == 1)
        before = suppressed.sum()
        for at in lone:
            members = every.indices[every.indptr[at] : every.indptr[at + 1]]
            signs = every.data[every.indptr[at] : every.indptr[at + 1]]
            if suppressed[members].sum() != 1:
                continue
            choice = members[(signs > 0) & ~suppressed[members] & free[members]]
            if len(choice) == 0:
                choice = members[(signs < 0) & ~suppressed[members] & free[members]]
            if len(choice):
                suppressed[choice[np.argmin(jobs[choice])]] = True
        if suppressed.sum() == before:
            break
    return cells.assign(suppressed=suppressed, hidden=suppressed & ~cells["suppressed"].to_numpy())


def score_estimates(
    cells: pd.DataFrame,
    share: float,
    seed: int,
    area_members: Mapping[str, Sequence[str]] | None = None,
    rounding: float = 0.0,
    reference: pd.DataFrame | None = None,
) -> pd.Series:
    """Hide disclosed cells, bound and estimate them, and compare with the truth.

    Arguments as in `hide_cells` and `estimate_suppressed`. Returns n_hidden; bounds_held_pct; the median of (upper -
    lower) / jobs; and, for the estimate and for `proportional_fill`, the sum of absolute errors over the sum of jobs
    (error_pct, naive_error_pct) and the median absolute percentage error (median_error_pct, naive_median_error_pct).
    """
    hidden = hide_cells(cells, share, seed, area_members, rounding)
    found = suppressed_bounds(hidden, area_members, rounding)
    which = hidden["hidden"].to_numpy()
    truth = hidden.loc[which, "employment"].to_numpy(dtype=float)
    low, high = (found.loc[which, f"employment_{end}"].to_numpy() for end in ("lower", "upper"))
    score = {
        "n_hidden": int(which.sum()),
        "bounds_held_pct": 100 * np.mean((low <= truth) & (truth <= high)),
        "median_width_pct": 100 * np.median((high - low) / truth),
    }
    for name, filled in (
        ("", estimate_suppressed(found, area_members, rounding, reference)),
        ("naive_", proportional_fill(found, rounding)),
    ):
        error = np.abs(filled.loc[which, "employment_estimate"].to_numpy() - truth)
        score[f"{name}error_pct"] = 100 * error.sum() / truth.sum()
        score[f"{name}median_error_pct"] = 100 * np.median(error / truth)
    return pd.Series(score)


def _sum_of_kind(books: Accounts, kind: str) -> tuple:
    """The parts and wholes of one kind of sum as (row, cell) pairs, with the rows' ranges."""
    rows = np.flatnonzero(books.kind == kind)
    entries = books.matrix[rows].tocoo()
    is_part = entries.data > 0
    part, whole = ((entries.coords[0][which], entries.coords[1][which]) for which in (is_part, ~is_part))
    return part, whole, books.low[rows], books.high[rows], len(rows)


def _fit(
    jobs: np.ndarray, part: tuple, whole: tuple, low: np.ndarray, high: np.ndarray, rows: int
) -> np.ndarray:
    """Scale the cells of each sum to its range: parts by u and the whole by 1 / u, where u solves P u - W / u = b."""
    parts, wholes = (np.bincount(at, jobs[cell], minlength=rows) for at, cell in (part, whole))
    target = np.clip(parts - wholes, low, high)
    scale = np.ones(rows)
    np.divide(target + np.sqrt(target**2 + 4 * parts * wholes), 2 * parts, out=scale, where=parts > 0)
    scale = np.maximum(scale, 0.0)
    # A whole is what its scaled parts leave; where every part is disclosed, what they come to.
    fitted = jobs.copy()
    fitted[part[1]] *= scale[part[0]]
    fitted[whole[1]] = np.maximum(parts * scale - target, 0.0)[whole[0]]
    return fitted


def _start(bounds: pd.DataFrame, reference: pd.DataFrame | None) -> np.ndarray:
    """Establishments times size, the size drawn to the parent industry's where few establishments are disclosed."""
    known = bounds if reference is None else pd.concat([bounds, reference])
    known = known[~known["suppressed"].astype(bool)]
    totals = known.groupby(KEY[1:])[["employment", "establishments"]].sum()
    seen = {key: (jobs, sites) for key, jobs, sites in totals.itertuples(name=None)}
    sizes: dict[tuple[str, str], float] = {}

    def size(own: str, industry: str) -> float:
        if (own, industry) not in sizes:
            above = industry_parent(industry)
            jobs, sites = seen.get((own, industry), (0.0, 0.0))
            if above is None:
                sizes[own, industry] = max(jobs, 1.0) / max(sites, 1.0)
            else:
                sizes[own, industry] = (jobs + CREDIBILITY * size(own, above)) / (sites + CREDIBILITY)
        return sizes[own, industry]

    per_site = [size(own, industry) for own, industry in bounds[KEY[1:]].itertuples(index=False, name=None)]
    return bounds["establishments"].clip(lower=FEWEST_ESTABLISHMENTS).to_numpy(dtype=float) * np.array(
        per_site
    )


def _with_estimate(bounds: pd.DataFrame, books: Accounts, jobs: np.ndarray) -> pd.DataFrame:
    estimate = bounds["employment"].to_numpy(dtype=float).copy()
    estimate[books.position] = jobs
    return bounds.assign(employment_estimate=estimate, is_estimated=bounds["suppressed"].astype(bool))
