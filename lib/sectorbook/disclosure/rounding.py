"""Controlled rounding: counts as multiples of a base, every sum kept, in place of withholding small ones.

Source: Cox (1987), "A constructive procedure for unbiased controlled rounding", Journal of the American Statistical
Association 82(398), 520-524, for the aim; the multiples are found here by integer programming, near the ones that
an unbiased random rounding drew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sectorbook.disclosure import audit, tables
from sectorbook.disclosure.gate import DERIVED, Outcome, pass_cells, rules_of
from sectorbook.disclosure.rules import Rules
from sectorbook.disclosure.tables import COUNT, Cell, Ratio, Relation
from sectorbook.errors import SectorbookError

# Where no neighbouring multiples add up, those up to this many steps further are tried.
MOST_STEPS = 3
NODES = 5000
# Fresh draws before rounding is given up because an interval is too narrow.
DRAWS = 5


def controlled(
    values: np.ndarray, relations: sparse.csr_array, base: int, seed: int
) -> tuple[np.ndarray, int]:
    """Return counts rounded to multiples of `base` that fulfil the relations, and how far any may be off.

    Each count goes to one of its two neighbouring multiples, the upper with probability (count modulo base) / base,
    and then as few as possible are moved so that `relations` times the result is 0. A multiple may stay. Zeros
    stay zeros. Raises SectorbookError when no multiples near the counts add up.
    """
    lower, rest = np.divmod(values.astype(np.int64), base)
    drawn = lower + (np.random.default_rng(seed).random(len(values)) < rest / base)
    n = len(values)
    # The unknowns are the multiples and how far each is from the drawn one.
    same = sparse.hstack([relations, sparse.csr_array(relations.shape)])
    away = sparse.vstack(
        [
            sparse.hstack([sparse.eye_array(n), -sparse.eye_array(n)]),
            sparse.hstack([-sparse.eye_array(n), -sparse.eye_array(n)]),
        ]
    )
    limits = np.concatenate([drawn, -drawn])
    aim = np.concatenate([np.zeros(n), np.ones(n)])
    for steps in range(MOST_STEPS + 1):
        least = np.where(values == 0, 0, np.maximum(lower - steps, 0))
        most = np.where(values == 0, 0, lower + (rest > 0) + steps)
        result = milp(
            aim,
            constraints=[LinearConstraint(same, 0, 0), LinearConstraint(away, -np.inf, limits)],
            bounds=Bounds(np.concatenate([least, np.zeros(n)]), np.concatenate([most, np.full(n, np.inf)])),
            integrality=np.concatenate([np.ones(n), np.zeros(n)]),
            options={"node_limit": NODES},
        )
        if result.x is not None:
            return base * np.round(result.x[:n]).astype(np.int64), base * (steps + 1) - 1
    raise SectorbookError(f"These tables cannot be rounded to {base} with their sums kept; withhold instead.")


def _counts(
    counts: pd.DataFrame, relations: Sequence[Relation], small: set[str], base: int, seed: int
) -> pd.Series:
    """Return rounded counts, of which the intruder could not narrow the small ones, by address."""
    matrix = tables.matrix(counts, relations)
    for draw in range(DRAWS):
        rounded, off = controlled(counts["value"].to_numpy(), matrix, base, seed + draw)
        known = pd.Series(rounded.astype(float), counts.index)
        found = audit.intervals(
            (known - off).clip(lower=0.0), known + off, matrix, pd.Series(True, counts.index),
            pd.Index(sorted(small)),
            max(100.0, known.max()),
        )  # fmt: skip
        if (found["high"] - found["low"] >= base - 1 - audit.SLACK).all():
            return known
    raise SectorbookError(f"Rounded to {base}, a small count can still be worked out; withhold instead.")


def pass_rounded(
    cells: Sequence[Cell],
    relations: Sequence[Relation],
    ratios: Sequence[Ratio],
    default: Rules | None,
    by_region: Mapping[str, Rules] | None,
    base: int,
    seed: int,
) -> tuple[Outcome, dict[str, float]]:
    """Return the gate's outcome and the rounded counts and shares, by address.

    Counts are rounded; shares of counts are computed from the rounded ones; all else passes or is withheld as
    without rounding, and a mean is withheld when its group is smaller than the minimum.
    Raises SectorbookError for a base below half of a region's minimum, which would show more than it hides.
    """
    every = tables.frame(cells)
    own = rules_of(every["region"].unique(), default, by_region)
    for region, rules in own.items():
        if 2 * base < rules.minimum:
            raise SectorbookError(
                f"Rounding to {base} is too fine for the minimum of {rules.minimum} ({region})."
            )
    counts = every[every["kind"] == COUNT]
    sums = [r for r in relations if r.total in counts.index]
    minimum = counts["region"].map(lambda r: own[r].minimum)
    small = set(counts.index[(counts["value"] > 0) & (counts["value"] < minimum)])
    known = _counts(counts, sums, small, base, seed)
    outcome = pass_cells(
        [cell for cell in cells if cell.kind != COUNT],
        [r for r in relations if r.total not in counts.index], (), default, by_region,
    )  # fmt: skip
    rounded, extra = known.to_dict(), []
    for ratio in ratios:
        pair = (ratio.numerator, ratio.denominator)
        if set(pair) <= rounded.keys():
            if rounded[ratio.denominator] > 0:
                rounded[ratio.address] = ratio.scale * rounded[ratio.numerator] / rounded[ratio.denominator]
                continue
        elif not any(part in outcome.hidden or part in small for part in pair):
            continue
        extra.append((ratio.address, every["region"][pair[0]], "ratio", "derived", DERIVED))
    log = pd.concat([outcome.log, pd.DataFrame(extra, columns=outcome.log.columns)], ignore_index=True)
    shown = int(every["shown"].sum())
    away = len(outcome.hidden & set(every.index))
    return replace(
        outcome, hidden=frozenset(log["address"]), log=log, cells=shown,
        kept_pct=100 * (1 - away / shown) if shown else 100.0,
    ), rounded  # fmt: skip
