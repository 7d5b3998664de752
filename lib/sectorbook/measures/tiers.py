"""Tiers of service to employers by the quality of their jobs (seed items A20 and A21).

Manufacturing Works ranked businesses on compensation, bonuses and working conditions; the success factors name three
tiers: businesses that have good jobs, that want to improve theirs, and others. Neither gives cut-offs, so they are
arguments, and how much the tiers depend on them is part of the answer.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown

WANTS = "wants_to_improve"


def _met(employers: pd.DataFrame, criteria: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return values and whether each meets its cut-off (employers × criteria; missing where the value is)."""
    for name in [*criteria["criterion"], WANTS]:
        if name not in employers:
            raise unknown("employer column", name, map(str, employers.columns))
    for name, better in zip(criteria["criterion"], criteria["better"], strict=True):
        if better not in ("higher", "lower"):
            raise SectorbookError(
                f"Criterion {name!r}: {unknown('direction', str(better), ('higher', 'lower'))}"
            )
    values = employers[list(criteria["criterion"])].astype(float).to_numpy()
    cut = criteria["cut_off"].to_numpy(dtype=float)
    met = np.where(criteria["better"] == "higher", values >= cut, values <= cut).astype(float)
    return values, np.where(np.isnan(values), np.nan, met)


def _required(criteria: pd.DataFrame, required: int | None) -> int:
    required = len(criteria) if required is None else required
    if not 1 <= required <= len(criteria):
        raise SectorbookError(
            f"required is {required}; it must be between 1 and the {len(criteria)} criteria."
        )
    return required


def _tier(good: np.ndarray, wants: np.ndarray) -> np.ndarray:
    return np.where(good, 1, np.where(wants, 2, 3))


def service_tiers(
    employers: pd.DataFrame, criteria: pd.DataFrame, required: int | None = None
) -> pd.DataFrame:
    """Return each employer's tier of service.

    `employers`: `employer`, a numeric column per criterion and `wants_to_improve` (truth value or missing).
    `criteria`: `criterion` (the column), `cut_off` and `better` ("higher" or "lower"). Tier 1 (good jobs) meets at
    least `required` criteria (all when not given); of the rest, tier 2 wants to improve and tier 3 does not.

    What is not known is not held against an employer: `tier_best` and `tier_worst` are the tiers if all that is missing
    were good or bad, and `tier` is missing where they differ. Also returns `met`, `unmet` and `unknown` (numbers of
    criteria) and `reason`. Raises SectorbookError for a missing column, a direction other than those two, or `required`
    out of range.
    """
    required = _required(criteria, required)
    _, met = _met(employers, criteria)
    wants = employers[WANTS].astype("boolean")
    best = _tier(
        np.where(np.isnan(met), 1, met).sum(axis=1) >= required, wants.fillna(True).to_numpy(dtype=bool)
    )
    worst = _tier(np.nan_to_num(met).sum(axis=1) >= required, wants.fillna(False).to_numpy(dtype=bool))
    names = np.array(criteria["criterion"])
    reasons = [
        _reason(tuple(names[m == 1]), tuple(names[m == 0]), tuple(names[np.isnan(m)]), required, w)
        for m, w in zip(met, wants, strict=True)
    ]
    return pd.DataFrame(
        {
            "employer": employers["employer"].to_numpy(),
            "tier": pd.array(np.where(best == worst, best, np.nan), dtype="Float64").astype("Int64"),
            "tier_best": best,
            "tier_worst": worst,
            "met": (met == 1).sum(axis=1),
            "unmet": (met == 0).sum(axis=1),
            "unknown": np.isnan(met).sum(axis=1),
            "reason": reasons,
        }
    )


def _reason(met: tuple, unmet: tuple, missing: tuple, required: int, wants: object) -> str:
    parts = [f"meets {', '.join(met)}" if met else "meets no criterion"]
    if unmet:
        parts.append(f"does not meet {', '.join(unmet)}")
    if missing:
        parts.append(f"{', '.join(missing)} not known")
    if len(met) < required:
        parts.append(
            "willingness not known"
            if pd.isna(wants)
            else f"{'wants' if wants else 'does not want'} to improve"
        )
    return f"Needs {required}: " + "; ".join(parts) + "."


def job_quality_gaps(
    employers: pd.DataFrame, criteria: pd.DataFrame, required: int | None = None
) -> pd.DataFrame:
    """Return, per employer and criterion, how far its jobs are from the cut-off and what it takes to reach tier 1.

    `gap` is the improvement needed in the criterion's own unit (0 when met), `gap_pct` that as percent of the cut-off
    (missing for a cut-off of 0). `step` marks the smallest gaps (by `gap_pct`) that, closed together, bring the
    employer to `required` criteria met. An unknown value has no gap and no step; arguments as `service_tiers`.
    Returns `employer`, `criterion`, `value`, `cut_off`, `met`, `gap`, `gap_pct`, `step`.
    """
    required = _required(criteria, required)
    values, met = _met(employers, criteria)
    cut = criteria["cut_off"].to_numpy(dtype=float)
    sign = np.where(criteria["better"] == "higher", 1, -1)
    gap = np.maximum(sign * (cut - values), 0) + 0.0
    relative = 100 * gap / np.where(cut == 0, np.nan, np.abs(cut))
    step = np.zeros(met.shape, dtype=bool)
    for row in range(len(met)):
        lacking = required - int(np.nansum(met[row]))
        open_gaps = np.flatnonzero(met[row] == 0)
        order = open_gaps[np.argsort(np.nan_to_num(relative[row, open_gaps], nan=np.inf), kind="stable")]
        if 0 < lacking <= len(order):
            step[row, order[:lacking]] = True
    count = len(criteria)
    return pd.DataFrame(
        {
            "employer": np.repeat(employers["employer"].to_numpy(), count),
            "criterion": np.tile(criteria["criterion"].to_numpy(), len(employers)),
            "value": values.ravel(),
            "cut_off": np.tile(cut, len(employers)),
            "met": pd.array(met.ravel(), dtype="Float64").astype("boolean"),
            "gap": gap.ravel(),
            "gap_pct": relative.ravel(),
            "step": step.ravel(),
        }
    )


def tier_sensitivity(
    employers: pd.DataFrame, criteria: pd.DataFrame, shifts_pct: Sequence[float], required: int | None = None
) -> pd.DataFrame:
    """Return how the tiers move when one cut-off at a time is moved by each of `shifts_pct` percent.

    Returns `criterion`, `shift_pct`, `cut_off`, `tier_1`, `tier_2`, `tier_3`, `undetermined` (employers in each) and
    `changed` (employers whose tier differs from that at the given cut-offs).
    """
    base = service_tiers(employers, criteria, required)["tier"].fillna(0)
    rows = []
    for i, name in enumerate(criteria["criterion"]):
        for shift in shifts_pct:
            moved = _moved(criteria, {i: shift})
            tier = service_tiers(employers, moved, required)["tier"].fillna(0)
            counts = {f"tier_{t}": int((tier == t).sum()) for t in (1, 2, 3)}
            counts["undetermined"] = int((tier == 0).sum())
            rows.append(
                {
                    "criterion": name,
                    "shift_pct": shift,
                    "cut_off": moved["cut_off"].iloc[i],
                    **counts,
                    "changed": int((tier.to_numpy() != base.to_numpy()).sum()),
                }
            )
    return pd.DataFrame(rows)


def _moved(criteria: pd.DataFrame, shifts: dict[int, float]) -> pd.DataFrame:
    cut = criteria["cut_off"].astype(float).to_numpy().copy()
    for i, shift in shifts.items():
        cut[i] *= 1 + shift / 100
    return criteria.assign(cut_off=cut)


def tier_stability(
    employers: pd.DataFrame, criteria: pd.DataFrame, shifts_pct: Sequence[float], required: int | None = None
) -> pd.DataFrame:
    """Return, per employer, in what share of all combinations of moved cut-offs it keeps its tier.

    Every criterion takes every shift, all combined. Returns `employer`, `tier`, `share_same_tier`, `tiers_reached`
    (the tiers met with, 0 standing for undetermined). Raises SectorbookError for more than 5,000 combinations.
    """
    combinations = len(shifts_pct) ** len(criteria)
    if combinations > 5000:
        raise SectorbookError(
            f"{combinations:,} combinations of cut-offs; use fewer shifts or criteria (5,000 at most)."
        )
    base = service_tiers(employers, criteria, required)
    reached = np.array(
        [
            service_tiers(employers, _moved(criteria, dict(enumerate(shifts))), required)["tier"]
            .fillna(0)
            .to_numpy(dtype=int)
            for shifts in product(shifts_pct, repeat=len(criteria))
        ]
    )
    same = (reached == base["tier"].fillna(0).to_numpy(dtype=int)).mean(axis=0)
    return base[["employer", "tier"]].assign(
        share_same_tier=same, tiers_reached=[tuple(map(int, np.unique(column))) for column in reached.T]
    )
