"""Making a comparison group look like the participants by weights: propensity score, overlap, IPW, entropy balancing.

Nothing here clips, trims or drops: `overlap` reports, the reader decides.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize, special
from statsmodels.discrete.discrete_model import BinaryResultsWrapper
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from sectorbook.errors import SectorbookError
from sectorbook.measures.effects import (
    Data,
    Effect,
    effect,
    effective_sample_size,
    prepare,
    regress,
    weighted_mean,
)

BALANCE_TOLERANCE = 1e-8
"""Entropy balancing has converged when no covariate's weighted mean differs by more than this many treated s.d."""
EXTREME_WEIGHT_SHARE = 0.05
"""One person carrying more than this share of the comparison group's weight is reported."""


def standardized(data: Data) -> np.ndarray:
    """Return covariates centred and scaled by the treated mean and s.d. (whole group's s.d. where the treated have none)."""
    spread = data.x[data.treated].std(axis=0, ddof=1)
    spread = np.where(spread > 0, spread, data.x.std(axis=0, ddof=1))
    if (spread == 0).any():
        raise SectorbookError(f"Covariate {data.names[int((spread == 0).argmax())]!r} has one value only.")
    return (data.x - data.x[data.treated].mean(axis=0)) / spread


def logit(y: np.ndarray, z: np.ndarray, start: np.ndarray | None = None) -> BinaryResultsWrapper:
    """Return statsmodels' results of a logistic regression of `y` (0/1) on `z` (with its constant).

    Raises SectorbookError when `z` predicts `y` perfectly or the fit does not converge.
    """
    # exp() of a far outlier overflows to infinity, and 1/(1 + ∞) = 0 is its exact score: nothing is lost.
    with warnings.catch_warnings(), np.errstate(over="ignore", divide="raise", invalid="raise"):
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return sm.Logit(y, z).fit(start_params=start, disp=0, maxiter=100, tol=1e-12, method="newton")
        except (
            PerfectSeparationWarning,
            ConvergenceWarning,
            FloatingPointError,
            np.linalg.LinAlgError,
        ) as error:
            raise SectorbookError(
                f"A logistic regression has no answer here: the covariates tell the two groups apart perfectly, or "
                f"nearly ({error}). For a propensity score that means nobody is comparable: use other covariates or another "
                "comparison group."
            ) from error


def logit_scores(
    t: np.ndarray, z: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return P(t = 1) by logistic regression on `z`, and its coefficients (see `logit`)."""
    params = np.asarray(logit(t, z, start).params)
    return special.expit(z @ params), params


def propensity_score(frame: pd.DataFrame, treatment: str, covariates: Sequence[str]) -> pd.Series:
    """Return each person's probability of treatment given the covariates: logit with main effects (statsmodels).

    Rosenbaum & Rubin 1983. Not clipped: a score of 0.999 stays 0.999.
    """
    data = prepare(frame, treatment, treatment, covariates)
    return pd.Series(_scores(data)[0], index=frame.index, name="propensity_score")


def _scores(data: Data, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, the (standardized) design with constant, and coefficients."""
    if data.x.shape[1] == 0:
        raise SectorbookError("A propensity score needs at least one covariate.")
    z = np.column_stack([np.ones(len(data.t)), standardized(data)])
    scores, params = logit_scores(data.t, z, start)
    return scores, z, params


def att_weights(scores: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return weights for the effect on the treated: 1 for the treated, e/(1−e) for the comparison group."""
    return np.where(t == 1, 1.0, scores / (1 - scores))


def ate_weights(scores: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return weights for the effect on everyone: 1/e for the treated, 1/(1−e) for the comparison group."""
    return np.where(t == 1, 1 / scores, 1 / (1 - scores))


def overlap(scores: pd.Series, treatment: pd.Series) -> pd.DataFrame:
    """Return one row per arm on where the propensity scores lie. Changes nothing and drops nobody.

    Columns: `group`, `n`, `score_min`, `score_p05`, `score_median`, `score_p95`, `score_max`; `outside_other` = people
    whose score lies beyond the other arm's range; `under_0_01`, `over_0_99`; `effective_n` and `largest_weight_share` of
    the ATT weights; `verdict`, a sentence.
    """
    e, t = scores.to_numpy(dtype=float), treatment.to_numpy(dtype=float)
    weights, rows = att_weights(e, t), []
    for arm, name in ((1, "treated"), (0, "comparison")):
        own, other, w = e[t == arm], e[t != arm], weights[t == arm]
        outside = int(((own < other.min()) | (own > other.max())).sum())
        share = float(w.max() / w.sum())
        notes = []
        if arm == 1 and outside:
            notes.append(f"{outside} of {len(own)} have no comparison person with a score as high or as low")
        if arm == 0 and share > EXTREME_WEIGHT_SHARE:
            notes.append(f"one person carries {share:.0%} of the weight")
        if arm == 0 and effective_sample_size(w) < 0.1 * len(own):
            notes.append(
                f"the weights leave the worth of {effective_sample_size(w):.0f} of {len(own)} people"
            )
        rows.append(
            {
                "group": name,
                "n": len(own),
                **dict(
                    zip(
                        ["score_min", "score_p05", "score_median", "score_p95", "score_max"],
                        np.quantile(own, [0, 0.05, 0.5, 0.95, 1]),
                        strict=True,
                    )
                ),
                "outside_other": outside,
                "under_0_01": int((own < 0.01).sum()),
                "over_0_99": int((own > 0.99).sum()),
                "effective_n": effective_sample_size(w),
                "largest_weight_share": share,
                "verdict": "; ".join(notes) or "overlaps",
            }
        )
    return pd.DataFrame(rows)


def ipw(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    estimand: str = "ATT",
    se: str = "M-estimation",
    level: float = 0.95,
) -> Effect:
    """Return the inverse-probability-weighted difference, weights normalised in each arm (Hájek 1971).

    `estimand`: ATT or ATE. `se="M-estimation"` stacks the logit's score with the two means and so counts that the
    weights were estimated (Stefanski & Boos 2002; Lunceford & Davidian 2004); HC0 and HC1 hold the weights fixed.
    `detail`: `effective_n_comparison`.
    """
    data = prepare(frame, outcome, treatment, covariates)
    scores, z, _ = _scores(data)
    weights = _weights(scores, data.t, estimand)
    estimate, error = ipw_influence(data, weights, scores, z, estimand)
    label = "M-estimation (weights estimated)"
    if se != "M-estimation":
        fit = regress(data.y, np.column_stack([np.ones(len(data.y)), data.t]), se, weights)
        estimate, error = fit.contrast([0, 1])
        label = f"{se}, weights held fixed"
    return effect(
        estimand,
        "inverse probability weighting (Hájek)",
        estimate,
        error,
        label,
        data.n,
        level=level,
        effective_n_comparison=effective_sample_size(weights[~data.treated]),
    )


def _weights(scores: np.ndarray, t: np.ndarray, estimand: str) -> np.ndarray:
    makers = {"ATT": att_weights, "ATE": ate_weights}
    if estimand not in makers:
        raise SectorbookError(f"Estimand {estimand!r} is not offered by weighting. Valid: ATE, ATT.")
    weights = makers[estimand](scores, t)
    if not np.isfinite(weights).all():
        raise SectorbookError(
            f"{int((~np.isfinite(weights)).sum())} people have a propensity score of exactly 0 or 1 and an infinite weight. "
            "Look at the overlap report and choose covariates or a comparison group under which they are comparable."
        )
    return weights


def ipw_influence(
    data: Data, weights: np.ndarray, scores: np.ndarray, z: np.ndarray, estimand: str
) -> tuple[float, float]:
    """Return the Hájek difference and its M-estimation standard error."""
    y, t, n = data.y, data.t, len(data.y)
    on, off = weights * t, weights * (1 - t)
    mean1, mean0 = weighted_mean(y, on), weighted_mean(y, off)
    influence = on * (y - mean1) / on.mean() - off * (y - mean0) / off.mean()
    # d(weight)/d(coefficients), by arm: ATT: comparison w·z; ATE: treated −(w−1)·z, comparison (w−1)·z.
    if estimand == "ATT":
        slope1, slope0 = np.zeros(n), off
    else:
        slope1, slope0 = -t * (weights - 1), (1 - t) * (weights - 1)
    gradient = z.T @ (slope1 * (y - mean1) / on.mean() - slope0 * (y - mean0) / off.mean()) / n
    information = z.T @ (z * (scores * (1 - scores))[:, None]) / n
    influence = influence + (z * (t - scores)[:, None]) @ np.linalg.solve(information, gradient)
    return mean1 - mean0, float(np.sqrt((influence**2).sum()) / n)


@dataclass(frozen=True)
class EntropyBalance:
    """Entropy-balancing weights (treated 1; comparison summing to the treated count) and proof of convergence."""

    weights: pd.Series
    max_standardized_difference: float
    iterations: int
    effective_n_comparison: float


def entropy_balance(frame: pd.DataFrame, treatment: str, covariates: Sequence[str]) -> EntropyBalance:
    """Return comparison weights closest to equal (in entropy) under which every covariate's mean is the treated mean.

    Hainmueller 2012, Political Analysis 20:25–46; solved in the convex dual min log Σ exp(z'λ) by scipy's
    trust-region Newton method. Raises SectorbookError when the means cannot be matched to `BALANCE_TOLERANCE` treated
    standard deviations: then the treated mean lies outside what the comparison group can reach.
    """
    data = prepare(frame, treatment, treatment, covariates)
    weights, gap, steps, _ = entropy_weights(data)
    return EntropyBalance(
        pd.Series(weights, index=frame.index, name="entropy_weight"),
        gap,
        steps,
        effective_sample_size(weights[~data.treated]),
    )


def entropy_weights(data: Data, start: np.ndarray | None = None) -> tuple[np.ndarray, float, int, np.ndarray]:
    """Return weights, largest remaining standardized difference, iterations and dual coefficients."""
    if data.x.shape[1] == 0:
        raise SectorbookError("Entropy balancing needs at least one covariate.")
    z = standardized(data)[~data.treated]
    # Columns of unlike spread slow the search; whitening by the comparison group's own scale does not move the optimum.
    scale = np.maximum(1.0, np.sqrt((z**2).mean(axis=0)))
    u = z / scale

    def probabilities(dual: np.ndarray) -> np.ndarray:
        return special.softmax(u @ dual)

    def objective(dual: np.ndarray) -> tuple[float, np.ndarray]:
        return float(special.logsumexp(u @ dual)), u.T @ probabilities(dual)

    def curvature(dual: np.ndarray) -> np.ndarray:
        p = probabilities(dual)
        mean = u.T @ p
        return (u * p[:, None]).T @ u - np.outer(mean, mean)

    found = optimize.minimize(
        objective,
        np.zeros(u.shape[1]) if start is None else start,
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"gtol": BALANCE_TOLERANCE / 1e3, "maxiter": 500},
    )
    dual, p = found.x, probabilities(found.x)
    gap = float(np.abs(z.T @ p).max())
    if gap > BALANCE_TOLERANCE:
        # The objective's rounding error stops the minimiser near 1e-8; solving "gradient = 0" goes past it.
        polished = optimize.root(lambda v: objective(v)[1], dual, jac=curvature)
        closer = float(np.abs(z.T @ probabilities(polished.x)).max())
        if closer < gap:
            dual, p, gap = polished.x, probabilities(polished.x), closer
    if not gap <= BALANCE_TOLERANCE:
        worst = data.names[int(np.abs(z.T @ p).argmax())]
        raise SectorbookError(
            f"Entropy balancing cannot match the treated means: {worst!r} stays {gap:.3g} standard deviations away after "
            f"{found.nit} steps. The comparison group has too few people like the participants; drop a covariate or "
            "widen the group."
        )
    weights = np.ones(len(data.t))
    weights[~data.treated] = p * data.treated.sum()
    return weights, gap, int(found.nit), dual


def entropy_balanced(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    se: str = "M-estimation",
    adjust: bool = False,
    level: float = 0.95,
) -> Effect:
    """Return the effect on the treated after entropy balancing.

    `se`: M-estimation (counts that the weights were estimated), or HC0/HC1 with weights held fixed. `adjust` adds
    the covariates to the weighted regression: same estimate, another standard error (HC0/HC1 only).
    """
    data = prepare(frame, outcome, treatment, covariates)
    weights, gap, _, _ = entropy_weights(data)
    if adjust and se == "M-estimation":
        raise SectorbookError(
            "Adjusting after balancing needs se='HC0' or 'HC1'; M-estimation is for the plain difference."
        )
    if se == "M-estimation":
        estimate, error = _entropy_influence(data, weights)
        label = "M-estimation (weights estimated)"
    else:
        x = [np.ones(len(data.y)), data.t] + ([data.x] if adjust else [])
        x = np.column_stack(x)
        estimate, error = regress(data.y, x, se, weights).contrast(np.eye(x.shape[1])[1])
        label = f"{se}, weights held fixed"
    return effect(
        "ATT",
        "entropy balancing" + (" + covariates" if adjust else ""),
        estimate,
        error,
        label,
        data.n,
        level=level,
        effective_n_comparison=effective_sample_size(weights[~data.treated]),
        max_standardized_difference=gap,
    )


def _entropy_influence(data: Data, weights: np.ndarray) -> tuple[float, float]:
    y, t = data.y, data.t
    z, off = standardized(data), weights * (1 - t)
    mean1, mean0 = y[data.treated].mean(), weighted_mean(y, off)
    # Balancing residualises the outcome on the covariates inside the weighted comparison group.
    spread = (z * off[:, None]).T @ z
    beta = np.linalg.solve(spread, (z * off[:, None]).T @ (y - mean0))
    fitted = z @ beta
    influence = t * (y - mean1 - fitted) - off * (y - mean0 - fitted)
    return float(mean1 - mean0), float(np.sqrt((influence**2).sum()) / t.sum())
