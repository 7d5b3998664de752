"""Are the groups alike? One balance table, effect sizes, and the What Works Clearinghouse's rules.

Source of the rules: WWC Standards Handbook 4.1 (2020), attrition Table II.1 and baseline equivalence section II.B.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import effective_sample_size, numbers, weighted_mean

ALIKE, ADJUSTABLE = 0.05, 0.25
"""WWC baseline thresholds: up to 0.05 s.d. satisfied, up to 0.25 s.d. satisfied if the analysis adjusts, else not."""
VERDICTS = ("satisfied", "needs adjustment", "not satisfied")
ASSUMPTIONS = ("cautious", "optimistic")


def weighted_variance(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted sample variance with the reliability correction: Σw(v − m)² / (Σw − Σw²/Σw)."""
    total = weights.sum()
    bottom = total - (weights**2).sum() / total
    if bottom <= 0:
        return np.nan
    return float(weights @ (values - weighted_mean(values, weights)) ** 2 / bottom)


def small_sample_correction(n: float) -> float:
    """Return ω = 1 − 3/(4N − 9), the correction of Hedges' g for N people in both groups together."""
    if n <= 3:
        raise SectorbookError(f"An effect size needs more than 3 people; found {n:g}.")
    return 1 - 3 / (4 * n - 9)


def hedges_g(
    mean_treated: float,
    mean_comparison: float,
    sd_treated: float,
    sd_comparison: float,
    n_treated: int,
    n_comparison: int,
) -> float:
    """Return Hedges' g: ω(m₁ − m₀)/s_pooled (Hedges 1981; WWC Procedures Handbook 4.1, appendix E)."""
    if min(n_treated, n_comparison) < 2:
        raise SectorbookError(
            f"Hedges' g needs two people in each group; found {n_treated} and {n_comparison}."
        )
    pooled = ((n_treated - 1) * sd_treated**2 + (n_comparison - 1) * sd_comparison**2) / (
        n_treated + n_comparison - 2
    )
    if pooled == 0:
        return 0.0 if mean_treated == mean_comparison else float("nan")
    return float(
        small_sample_correction(n_treated + n_comparison) * (mean_treated - mean_comparison) / np.sqrt(pooled)
    )


def cox_index(share_treated: float, share_comparison: float, n_treated: int, n_comparison: int) -> float:
    """Return the Cox index of two shares: ω·ln(odds ratio)/1.65 (Sánchez-Meca et al. 2003; WWC 4.1).

    A share of exactly 0 or 1 has no log odds; the answer is then NaN, or 0 when both shares are the same.
    """
    for share in (share_treated, share_comparison):
        if not 0 <= share <= 1:
            raise SectorbookError(f"A share lies between 0 and 1; found {share}.")
    if share_treated == share_comparison:
        return 0.0
    if not all(0 < s < 1 for s in (share_treated, share_comparison)):
        return float("nan")
    omega = small_sample_correction(n_treated + n_comparison)
    return float(omega * (special.logit(share_treated) - special.logit(share_comparison)) / 1.65)


def equivalence(effect_size: float) -> str:
    """Return the WWC verdict on a baseline difference in standard deviations: one of `VERDICTS`, or "cannot be judged"."""
    if not np.isfinite(effect_size):
        return "cannot be judged"
    size = abs(effect_size)
    return VERDICTS[0] if size <= ALIKE else VERDICTS[1] if size <= ADJUSTABLE else VERDICTS[2]


def balance_table(
    frame: pd.DataFrame, treatment: str, covariates: Sequence[str], weights: pd.Series | None = None
) -> pd.DataFrame:
    """Return one row per covariate: are treated and comparison group alike, before or after weighting?

    Columns: `covariate`, `kind` (binary/continuous), `mean_treated`, `mean_comparison`, `sd_treated` (unweighted treated s.d.,
    the fixed yardstick), `standardized_difference` = (m₁ − m₀)/sd_treated, `variance_ratio` (continuous only),
    `effect_size` (Hedges' g, or Cox index for binary), `verdict`, `n_treated`, `n_comparison`, `effective_n_treated`,
    `effective_n_comparison`. `weights` are one per row, 0 = left out. Sample sizes count rows with a positive weight;
    effect sizes use them and the weighted means with the unweighted pooled s.d. of those rows.
    """
    values = numbers(frame, [treatment, *covariates])
    t, x = values[:, 0], values[:, 1:]
    if not np.isin(t, (0, 1)).all():
        raise SectorbookError(f"Column {treatment!r} must hold 1 (treated) or 0 (comparison).")
    w = np.ones(len(t)) if weights is None else _aligned(frame, weights)
    treated, other = (t == 1) & (w > 0), (t == 0) & (w > 0)
    if min(treated.sum(), other.sum()) < 2:
        raise SectorbookError(
            f"Balance needs two people on each side; found {int(treated.sum())} treated and {int(other.sum())} comparison "
            "with a positive weight."
        )
    rows = []
    for name, v in zip(covariates, x.T, strict=True):
        means = [weighted_mean(v[m], w[m]) for m in (treated, other)]
        spread = float(v[t == 1].std(ddof=1))
        binary = bool(np.isin(v, (0, 1)).all())
        gap = means[0] - means[1]
        if binary:
            size = cox_index(*np.clip(means, 0, 1), int(treated.sum()), int(other.sum()))
        else:
            size = hedges_g(
                *means, v[treated].std(ddof=1), v[other].std(ddof=1), int(treated.sum()), int(other.sum())
            )
        variances = [weighted_variance(v[m], w[m]) for m in (treated, other)]
        rows.append(
            {
                "covariate": name,
                "kind": "binary" if binary else "continuous",
                "mean_treated": means[0],
                "mean_comparison": means[1],
                "sd_treated": spread,
                "standardized_difference": gap / spread if spread > 0 else (0.0 if gap == 0 else np.nan),
                "variance_ratio": variances[0] / variances[1] if not binary and variances[1] > 0 else np.nan,
                "effect_size": size,
                "verdict": equivalence(size),
                "n_treated": int(treated.sum()),
                "n_comparison": int(other.sum()),
                "effective_n_treated": effective_sample_size(w[treated]),
                "effective_n_comparison": effective_sample_size(w[other]),
            }
        )
    return pd.DataFrame(rows)


def _aligned(frame: pd.DataFrame, weights: pd.Series) -> np.ndarray:
    if not weights.index.equals(frame.index):
        raise SectorbookError("The weights belong to other rows: their index differs from the frame's.")
    w = weights.to_numpy(dtype=float)
    if not np.isfinite(w).all() or (w < 0).any():
        raise SectorbookError("Weights must be finite and not negative; 0 leaves a person out.")
    return w


@dataclass(frozen=True)
class Attrition:
    """Attrition of a trial and where it falls against the WWC boundary."""

    overall_pct: float
    differential_pp: float
    boundary_pp: float
    assumption: str
    rating: str
    sentence: str


def attrition(
    assigned: tuple[int, int], analysed: tuple[int, int], table: pd.DataFrame, assumption: str = "cautious"
) -> Attrition:
    """Rate attrition against the WWC boundary.

    `assigned` and `analysed` are (treated, comparison) counts. `table` is WWC 4.1 Table II.1 with columns
    `overall_pct`, `cautious_max_diff_pp`, `optimistic_max_diff_pp` (missing = always high). Overall attrition
    between two whole per cents is held to the stricter of the two rows. `assumption`: "cautious" when the programme may itself
    cause people to leave the study, "optimistic" when leaving is unrelated to it.
    """
    if assumption not in ASSUMPTIONS:
        raise unknown("attrition assumption", assumption, ASSUMPTIONS)
    for name, a, b in zip(("treated", "comparison"), assigned, analysed, strict=True):
        if a <= 0 or not 0 <= b <= a:
            raise SectorbookError(
                f"Attrition of the {name} group: {b} analysed of {a} assigned. Assigned must be above 0 and at least the "
                "number analysed."
            )
    lost = [1 - b / a for a, b in zip(assigned, analysed, strict=True)]
    overall = 100 * (1 - sum(analysed) / sum(assigned))
    differential = 100 * abs(lost[0] - lost[1])
    limits = table.set_index("overall_pct")[f"{assumption}_max_diff_pp"]
    rows = [int(np.floor(round(overall, 9))), int(np.ceil(round(overall, 9)))]
    inside = [limits.get(r, np.nan) for r in rows]
    boundary = float("nan") if any(pd.isna(v) for v in inside) else float(min(inside))
    rating = "low" if np.isfinite(boundary) and round(differential, 9) <= boundary else "high"
    reason = (
        f"the boundary is {boundary:.1f} points" if np.isfinite(boundary) else "too much at any difference"
    )
    sentence = (
        f"{overall:.1f} % of those assigned are missing, {differential:.1f} points more in one group than in the other: "
        f"{rating} attrition under the {assumption} assumption ({reason})."
    )
    return Attrition(overall, differential, boundary, assumption, rating, sentence)


@dataclass(frozen=True)
class Rating:
    """What a study can claim under WWC rules, and why."""

    rating: str
    reasons: tuple[str, ...]


def study_rating(
    randomized: bool, baseline: pd.DataFrame, adjusted: Sequence[str], attrition: Attrition | None = None
) -> Rating:
    """Rate a study by the WWC's group-design steps (Handbook 4.1, figure II.1).

    `baseline` is a `balance_table` of the people analysed; `adjusted` the covariates the analysis adjusts for. A trial with
    low attrition "meets standards without reservations". Any other study must show equivalence on every row of
    `baseline`, and at best "meets standards with reservations". Only these steps are applied: confounds, measures'
    reliability and compromised randomization are for a reader to judge. Raises SectorbookError for a trial without
    an attrition figure.
    """
    reasons = []
    if randomized:
        if attrition is None:
            raise SectorbookError(
                "A randomized study is rated by its attrition; give the counts assigned and analysed."
            )
        reasons.append(attrition.sentence)
        if attrition.rating == "low":
            return Rating("meets standards without reservations", tuple(reasons))
    else:
        reasons.append("Not randomized: equivalence at baseline must be shown.")
    failed = False
    for name, size, verdict in zip(
        baseline["covariate"], baseline["effect_size"], baseline["verdict"], strict=True
    ):
        if verdict == VERDICTS[0] or (verdict == VERDICTS[1] and name in adjusted):
            continue
        failed = True
        why = "not adjusted for" if verdict == VERDICTS[1] else verdict
        reasons.append(f"{name}: {size:+.2f} standard deviations apart, {why}.")
    if failed:
        return Rating("does not meet standards", tuple(reasons))
    reasons.append("Every baseline measure is equivalent, or adjusted for where it had to be.")
    return Rating("meets standards with reservations", tuple(reasons))
