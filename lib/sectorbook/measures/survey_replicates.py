"""The jackknife: estimate again without each unit drawn, and read the uncertainty from how far that moves the estimate.

Works for any statistic of the sample, also one without a formula. Wolter (2007), Introduction to Variance Estimation,
chapter 4; the same as R's `survey` (`as.svrepdesign`, JK1 and JKn, replicates centred on their mean).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError
from sectorbook.measures.survey import Design, degrees_of_freedom

Statistic = Callable[[pd.DataFrame, np.ndarray], float]


@dataclass(frozen=True)
class Replicates:
    """`weights`: rows by replicates, the weights when one first-stage unit is left out. `scale`: one factor a replicate."""

    design: Design
    weights: np.ndarray
    scale: np.ndarray


def jackknife(design: Design) -> Replicates:
    """Return replicate weights that leave out one first-stage unit at a time.

    The other units of its stratum stand in, times n/(n - 1); the factor is (n - 1)/n, times 1 - n/N where the number N of
    units in the stratum is known. One stratum is JK1, several are JKn. Raises SectorbookError for a stratum of one unit
    drawn of several, and for calibrated weights, which would have to be calibrated again in every replicate.
    """
    if design.calibrations:
        raise SectorbookError("Make the replicates from the weights before calibration.")
    group, unit, size = design.strata[0], design.units[0], design.population[0]
    first = pd.Series(np.arange(len(unit))).groupby(unit).first().to_numpy()
    drawn = pd.Series(group[first]).value_counts()
    weights, scale = [], []
    for row in first:
        n, of = int(drawn[group[row]]), size[row]
        if n == 1 and of == 1:
            continue
        if n == 1:
            raise SectorbookError(
                "A stratum has one unit drawn of several; merge strata before the jackknife."
            )
        factor = np.where(group == group[row], n / (n - 1), 1.0)
        factor[unit == unit[row]] = 0.0
        weights.append(design.weight * factor)
        scale.append((n - 1) / n * (1.0 if np.isnan(of) else 1 - n / of))
    if not weights:
        raise SectorbookError("Every unit was drawn, so there is nothing to leave out.")
    return Replicates(design, np.column_stack(weights), np.array(scale))


def replicate_estimate(
    replicates: Replicates, statistic: Statistic, confidence: float = 0.95
) -> pd.DataFrame:
    """Return a statistic of the sample with its jackknife standard error, one row.

    `statistic` takes the sample's frame and a weight per row and returns one number. Variance: the sum over replicates of
    scale times the squared distance from the replicates' mean. Columns `estimate`, `se`, `ci_low`, `ci_high` (Student's t on
    the design's degrees of freedom `df`), `n`. Raises SectorbookError when the statistic is missing in a replicate.
    """
    design = replicates.design
    value = float(statistic(design.frame, design.weight))
    each = np.array([statistic(design.frame, weight) for weight in replicates.weights.T], dtype=float)
    if np.isnan(each).any():
        raise SectorbookError(
            f"The statistic is missing in {np.isnan(each).sum()} of {len(each)} replicates, so it hangs on single units."
        )
    centre = each[replicates.scale > 0].mean() if (replicates.scale > 0).any() else value
    se = float(np.sqrt(replicates.scale @ (each - centre) ** 2))
    df = degrees_of_freedom(design)
    half = stats.t.ppf((1 + confidence) / 2, df) * se
    row = {"estimate": value, "se": se, "ci_low": value - half, "ci_high": value + half, "df": df}
    return pd.DataFrame([{**row, "n": len(design.frame)}])
