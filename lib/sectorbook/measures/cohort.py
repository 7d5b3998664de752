"""How large a cohort to enroll when hires are uncertain: the newsvendor's balance, and what it hangs on.

A trainee without a job costs one amount, a job without a trainee another. The best supply covers demand with
probability cost_unfilled / (cost_unfilled + cost_unplaced) (Arrow, Harris and Marschak 1951, Econometrica 19:250-272).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown


def _check_costs(cost_unplaced_usd: float, cost_unfilled_usd: float) -> None:
    if cost_unplaced_usd < 0 or cost_unfilled_usd < 0 or cost_unplaced_usd + cost_unfilled_usd == 0:
        raise SectorbookError(
            f"The costs are {cost_unplaced_usd} per unplaced trainee and {cost_unfilled_usd} per unfilled job; both must be "
            "0 or more, and one above 0."
        )


def cohort_costs(
    hires: np.ndarray,
    yields: np.ndarray,
    sizes: Sequence[int],
    cost_unplaced_usd: float,
    cost_unfilled_usd: float,
) -> pd.DataFrame:
    """Return what each size of cohort is expected to cost in unplaced trainees and unfilled jobs.

    `hires` and `yields` are draws of the jobs there will be and of the share of those enrolled who come ready.
    Returns `enrolled`, `expected_unplaced`, `expected_unfilled`, `probability_unplaced` (some trainee has no job),
    `expected_cost_usd`, and `best` (lowest cost; the smaller cohort of equals). Raises SectorbookError for yields
    outside 0 to 1, draws of different number, or negative costs.
    """
    _check_costs(cost_unplaced_usd, cost_unfilled_usd)
    if hires.shape != yields.shape or hires.ndim != 1:
        raise SectorbookError(
            f"hires has shape {hires.shape} and yields {yields.shape}; they need the same number of draws."
        )
    if yields.min() < 0 or yields.max() > 1:
        raise SectorbookError(
            f"yields run from {yields.min():g} to {yields.max():g}; they are shares between 0 and 1."
        )
    enrolled = np.sort(np.asarray(sizes))
    gap = enrolled[:, None] * yields - hires
    unplaced, unfilled = np.maximum(gap, 0).mean(axis=1), np.maximum(-gap, 0).mean(axis=1)
    cost = cost_unplaced_usd * unplaced + cost_unfilled_usd * unfilled
    return pd.DataFrame(
        {
            "enrolled": enrolled,
            "expected_unplaced": unplaced,
            "expected_unfilled": unfilled,
            "probability_unplaced": (gap > 0).mean(axis=1),
            "expected_cost_usd": cost,
            "best": np.arange(len(enrolled)) == cost.argmin(),
        }
    )


def cohort_size(
    hires: float, hires_se: float, yield_share: float, cost_unplaced_usd: float, cost_unfilled_usd: float
) -> float:
    """Return the best number to enroll when hires are normal around an estimate and the yield is known.

    (hires + z * hires_se) / yield, with z the normal quantile at cost_unfilled / (cost_unfilled + cost_unplaced); not
    below 0. Raises SectorbookError for a yield outside 0 to 1, a negative standard error, or a cost that is not above 0.
    """
    _check_costs(cost_unplaced_usd, cost_unfilled_usd)
    if not 0 < yield_share <= 1:
        raise SectorbookError(f"yield_share is {yield_share}; it is a share above 0, at most 1.")
    if hires_se < 0 or min(cost_unplaced_usd, cost_unfilled_usd) == 0:
        raise SectorbookError(
            "hires_se must be 0 or more, and both costs above 0: otherwise none, or all, would be enrolled."
        )
    z = stats.norm.ppf(cost_unfilled_usd / (cost_unfilled_usd + cost_unplaced_usd))
    return max(float(hires + z * hires_se) / yield_share, 0.0)


def tornado(
    model: Callable[..., float], base: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]
) -> pd.DataFrame:
    """Return how a result moves when one assumption at a time takes its low and its high value, the widest swing first.

    `model` takes the assumptions of `base` by name. Returns `assumption`, `low`, `high`, `at_low`, `at_high`, `at_base`,
    `swing`. Raises SectorbookError for a range of an assumption that `base` does not have, or one in the wrong order.
    """
    at_base = model(**base)
    rows = []
    for name, (low, high) in ranges.items():
        if name not in base:
            raise unknown("assumption", name, base)
        if low > high:
            raise SectorbookError(f"The range of {name!r} is {low} to {high}; the smaller comes first.")
        at_low, at_high = (model(**{**base, name: value}) for value in (low, high))
        rows.append((name, low, high, at_low, at_high, at_base, abs(at_high - at_low)))
    columns = ["assumption", "low", "high", "at_low", "at_high", "at_base", "swing"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("swing", ascending=False, kind="stable", ignore_index=True)
