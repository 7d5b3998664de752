"""Doubly robust estimates: right when either the propensity model or the outcome model is; and the bootstrap."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import (
    Data,
    Effect,
    effect,
    effective_sample_size,
    prepare,
    regress,
    side_by_side,
    weighted_mean,
)
from sectorbook.measures.weighting import _scores, att_weights, entropy_weights


def _with_constant(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(x)), x])


def _predict_untreated(data: Data) -> np.ndarray:
    """Return what each person's outcome would be untreated: least squares fitted on the comparison group."""
    x = _with_constant(data.x)
    off = ~data.treated
    if off.sum() <= x.shape[1]:
        raise SectorbookError(
            f"The comparison group has {int(off.sum())} people for {x.shape[1]} coefficients; use fewer covariates."
        )
    return x @ np.linalg.lstsq(x[off], data.y[off], rcond=None)[0]


def aipw(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    form: str = "hajek",
    level: float = 0.95,
) -> Effect:
    """Return the augmented inverse-probability-weighted effect on the treated.

    Mean residual of the treated less the e/(1−e)-weighted mean residual of the comparison group; residuals from least
    squares on the comparison group (Robins, Rotnitzky & Zhao 1994; Moodie, Saarela & Stephens 2018). `form`: "hajek"
    normalises the weights, "horvitz-thompson" divides by the treated count. Standard error from the influence function.
    """
    data = prepare(frame, outcome, treatment, covariates)
    weights = att_weights(_scores(data)[0], data.t)
    estimate, error = _aipw(data, weights, form)
    return effect(
        "ATT",
        f"doubly robust (AIPW, {'Hájek' if form == 'hajek' else 'Horvitz–Thompson'})",
        estimate,
        error,
        "influence function",
        data.n,
        level=level,
        effective_n_comparison=effective_sample_size(weights[~data.treated]),
    )


def _aipw(
    data: Data, weights: np.ndarray, form: str, untreated: np.ndarray | None = None
) -> tuple[float, float]:
    if form not in ("hajek", "horvitz-thompson"):
        raise unknown("form of AIPW", form, ["hajek", "horvitz-thompson"])
    t, treated = data.t, data.t.sum()
    resid = data.y - (_predict_untreated(data) if untreated is None else untreated)
    off = weights * (1 - t)
    first = weighted_mean(resid, t)
    if form == "hajek":
        second = weighted_mean(resid, off)
        influence = t * (resid - first) / treated - off * (resid - second) / off.sum()
        return first - second, float(np.sqrt((influence**2).sum()))
    estimate = first - (off @ resid) / treated
    influence = (t * (resid - estimate) - off * resid) / treated
    return float(estimate), float(np.sqrt((influence**2).sum()))


def regression_imputation(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    level: float = 0.95,
) -> Effect:
    """Return the treated mean less what a regression on the comparison group predicts for the treated.

    Oaxaca–Blinder/g-computation for the effect on the treated (Kline 2011); linear, so far extrapolation goes unnoticed.
    Standard error HC2-robust: a sum of the treated mean's own variance and the prediction's.
    """
    data = prepare(frame, outcome, treatment, covariates)
    x, off = _with_constant(data.x), ~data.treated
    gap = data.y - _predict_untreated(data)
    contrast = x[data.treated].mean(axis=0)
    spread = gap[data.treated].var(ddof=1) / data.treated.sum()
    fit = regress(data.y[off], x[off], "HC2")
    error = np.sqrt(spread + fit.contrast(contrast)[1] ** 2)
    return effect(
        "ATT",
        "regression imputation",
        gap[data.treated].mean(),
        error,
        "HC2 of both parts",
        data.n,
        level=level,
    )


def weighted_regression(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    se: str = "HC1",
    level: float = 0.95,
) -> Effect:
    """Return the treatment coefficient of a regression with covariates, weighted by the ATT propensity weights (IPWRA)."""
    data = prepare(frame, outcome, treatment, covariates)
    weights = att_weights(_scores(data)[0], data.t)
    x = np.column_stack([np.ones(len(data.y)), data.t, data.x])
    fit = regress(data.y, x, se, weights)
    return effect(
        "ATT",
        "weighted regression (IPWRA)",
        *fit.contrast(np.eye(x.shape[1])[1]),
        f"{se}, weights held fixed",
        data.n,
        level=level,
    )


class _Draw:
    """One bootstrap sample; what several estimators need is computed once. `start` holds the whole sample's solutions."""

    def __init__(self, data: Data, start: dict[str, np.ndarray]) -> None:
        self.data, self._start = data, start

    @cached_property
    def scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _scores(self.data, self._start.get("logit"))

    @cached_property
    def dual(self) -> tuple[np.ndarray, np.ndarray]:
        weights, _, _, dual = entropy_weights(self.data, self._start.get("entropy"))
        return weights, dual

    @cached_property
    def untreated(self) -> np.ndarray:
        return _predict_untreated(self.data)

    def difference(self) -> float:
        return float(self.data.y[self.data.treated].mean() - self.data.y[~self.data.treated].mean())

    def ancova(self) -> float:
        x = np.column_stack([np.ones(len(self.data.y)), self.data.t, self.data.x])
        return float(np.linalg.lstsq(x, self.data.y, rcond=None)[0][1])

    def ipw(self) -> float:
        on, off = self.data.treated, ~self.data.treated
        weights = att_weights(self.scores[0], self.data.t)
        return float(self.data.y[on].mean() - weighted_mean(self.data.y[off], weights[off]))

    def aipw(self) -> float:
        return _aipw(self.data, att_weights(self.scores[0], self.data.t), "hajek", self.untreated)[0]

    def imputation(self) -> float:
        return float((self.data.y - self.untreated)[self.data.treated].mean())

    def entropy(self) -> float:
        on, off = self.data.treated, ~self.data.treated
        return float(self.data.y[on].mean() - weighted_mean(self.data.y[off], self.dual[0][off]))


BOOTSTRAPPED: Mapping[str, Callable[[_Draw], float]] = {
    "difference in means": _Draw.difference,
    "covariate-adjusted (ANCOVA)": _Draw.ancova,
    "inverse probability weighting (Hájek)": _Draw.ipw,
    "doubly robust (AIPW, Hájek)": _Draw.aipw,
    "regression imputation": _Draw.imputation,
    "entropy balancing": _Draw.entropy,
}
"""Estimators whose bootstrap is valid. Matching is not among them (Abadie & Imbens 2008)."""


def bootstrap(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    estimators: Sequence[str] = tuple(BOOTSTRAPPED),
    draws: int = 999,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return each estimator's bootstrap standard error and percentile interval (columns of `side_by_side`, `failed_draws`).

    People are drawn with replacement within each arm; every estimator sees the same draws (Efron & Tibshirani 1993).
    A draw in which an estimator has no answer (separated scores, unreachable balance) is counted in `failed_draws`, never
    replaced; above 5 % of draws the interval is withheld.
    """
    for name in estimators:
        if name not in BOOTSTRAPPED:
            raise unknown("estimator", name, BOOTSTRAPPED)
    data = prepare(frame, outcome, treatment, covariates)
    whole = _Draw(data, {})
    points = [BOOTSTRAPPED[name](whole) for name in estimators]
    start = {}
    if "scores" in vars(whole):
        start["logit"] = whole.scores[2]
    if "dual" in vars(whole):
        start["entropy"] = whole.dual[1]
    arms = [np.flatnonzero(data.treated), np.flatnonzero(~data.treated)]
    rng = np.random.default_rng(seed)
    values = np.full((draws, len(estimators)), np.nan)
    # Thousands of small products: threads would spend their time waiting for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        for draw in range(draws):
            rows = np.concatenate([arm[rng.integers(0, len(arm), len(arm))] for arm in arms])
            sample = _Draw(Data(data.y[rows], data.t[rows], data.x[rows], data.names, data.index), start)
            for column, name in enumerate(estimators):
                try:
                    values[draw, column] = BOOTSTRAPPED[name](sample)
                except SectorbookError:
                    continue  # counted below, in failed_draws
    rows = []
    for column, (name, point) in enumerate(zip(estimators, points, strict=True)):
        good = values[np.isfinite(values[:, column]), column]
        estimand = "ITT" if name in ("difference in means", "covariate-adjusted (ANCOVA)") else "ATT"
        enough = len(good) >= 0.95 * draws and len(good) > 1
        error = good.std(ddof=1) if enough else np.nan
        rows.append(effect(estimand, name, point, error, f"bootstrap ({draws} draws)", data.n, level=level))
    table = side_by_side(rows)
    bounds = [0.5 - level / 2, 0.5 + level / 2]
    table["failed_draws"] = np.isnan(values).sum(axis=0)
    for column in range(len(estimators)):
        if np.isfinite(table.loc[column, "standard_error"]):
            table.loc[column, ["ci_low", "ci_high"]] = np.nanquantile(values[:, column], bounds)
    return table
