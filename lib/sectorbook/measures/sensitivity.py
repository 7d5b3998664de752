"""How strong would an unmeasured difference have to be to explain the effect away?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError
from sectorbook.measures.effects import prepare, regress


def rosenbaum_bounds(
    difference: Sequence[float], gammas: Sequence[float] = (1, 1.25, 1.5, 1.75, 2, 2.5, 3)
) -> pd.DataFrame:
    """Return the range of one-sided p-values of matched pairs if hidden bias changed the odds of treatment by up to gamma.

    Wilcoxon's signed-rank statistic, large-sample bounds with p⁺ = γ/(1 + γ) (Rosenbaum 2002, Observational Studies, section
    4.3; zeros dropped, average ranks, no continuity correction). `difference` is treated less comparison, one per pair. Columns:
    `gamma`, `p_lower`, `p_upper`. The gamma where `p_upper` passes 0.05 is how much hidden bias the finding withstands.
    """
    d = np.asarray(difference, dtype=float)
    if not np.isfinite(d).all():
        raise SectorbookError("A pair's difference is missing; leave the pair out knowingly.")
    d = d[d != 0]
    if len(d) < 10:
        raise SectorbookError(f"Rosenbaum's large-sample bounds need 10 pairs that differ; found {len(d)}.")
    ranks = stats.rankdata(np.abs(d))
    statistic = ranks[d > 0].sum()
    rows = []
    for gamma in gammas:
        if gamma < 1:
            raise SectorbookError(f"gamma is an odds ratio of 1 or more; found {gamma}.")
        bounds = []
        for p in (1 / (1 + gamma), gamma / (1 + gamma)):
            spread = np.sqrt(p * (1 - p) * (ranks**2).sum())
            bounds.append(float(stats.norm.sf((statistic - p * ranks.sum()) / spread)))
        rows.append((float(gamma), *bounds))
    return pd.DataFrame(rows, columns=["gamma", "p_lower", "p_upper"])


def e_value(risk_ratio: float, ci_low: float, ci_high: float) -> dict[str, float]:
    """Return the E-value of a risk ratio and of the end of its interval nearest to 1.

    RR + √(RR(RR − 1)), after turning a ratio under 1 upside down (VanderWeele & Ding 2017, Annals of Internal Medicine
    167:268–274): an unmeasured factor would need at least that risk ratio with both taking part and the outcome. 1 when
    the interval holds 1.
    """
    if not 0 < ci_low <= risk_ratio <= ci_high:
        raise SectorbookError(
            f"A risk ratio and its interval are positive and in order; found {ci_low}, {risk_ratio}, {ci_high}."
        )

    def needed(ratio: float) -> float:
        ratio = max(ratio, 1 / ratio)
        return float(ratio + np.sqrt(ratio * (ratio - 1)))

    near = ci_low if risk_ratio >= 1 else ci_high
    crosses = ci_low <= 1 <= ci_high
    return {"e_value": needed(risk_ratio), "e_value_interval": 1.0 if crosses else needed(near)}


def e_value_of_difference(estimate: float, standard_error: float, outcome_sd: float) -> dict[str, float]:
    """Return the E-value of a difference in means: RR ≈ exp(0.91·d), d = estimate/s.d. (VanderWeele & Ding 2017, table 2)."""
    if outcome_sd <= 0 or standard_error <= 0:
        raise SectorbookError("The outcome's s.d. and the standard error must be above 0.")
    d, s = estimate / outcome_sd, standard_error / outcome_sd
    return e_value(*(float(np.exp(v)) for v in (0.91 * d, 0.91 * d - 1.78 * s, 0.91 * d + 1.78 * s)))


def coefficient_stability(
    frame: pd.DataFrame, outcome: str, treatment: str, covariates: Sequence[str], r_max_factor: float = 1.3
) -> dict[str, float]:
    """Return Oster's delta and the bias-adjusted effect under equal selection.

    Oster 2019, Journal of Business & Economic Statistics 37:187–204, the simple approximation: β* = β̃ − (β̇ − β̃)(R_max −
    R̃)/(R̃ − Ṙ), and delta = β̃(R̃ − Ṙ)/((β̇ − β̃)(R_max − R̃)): how many times as important as the measured covariates the
    unmeasured would have to be to bring the effect to 0. R_max = `r_max_factor`·R̃, at most 1. Keys: `uncontrolled`,
    `controlled`, `r_squared_uncontrolled`, `r_squared_controlled`, `r_max`, `delta`, `adjusted_effect`.
    """
    if not covariates:
        raise SectorbookError("Oster's delta compares with and without covariates; name some.")
    if r_max_factor <= 1:
        raise SectorbookError(f"r_max_factor must be above 1; found {r_max_factor}.")
    data = prepare(frame, outcome, treatment, covariates)
    total = ((data.y - data.y.mean()) ** 2).sum()
    found = []
    for extra in ([], [data.x]):
        fit = regress(data.y, np.column_stack([np.ones(len(data.y)), data.t, *extra]), "classical")
        found.append((float(fit.params[1]), 1 - float((fit.resid**2).sum() / total)))
    (short, r_short), (long, r_long) = found
    r_max = min(1.0, r_max_factor * r_long)
    room, moved = r_max - r_long, short - long
    denominator = moved * room
    return {
        "uncontrolled": short,
        "controlled": long,
        "r_squared_uncontrolled": r_short,
        "r_squared_controlled": r_long,
        "r_max": r_max,
        "delta": long * (r_long - r_short) / denominator if denominator else np.inf,
        "adjusted_effect": long - moved * room / (r_long - r_short) if r_long > r_short else np.nan,
    }
