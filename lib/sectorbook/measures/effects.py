"""One shape for every estimate of an effect, and the checks and regressions all estimators share.

An estimate is an `Effect`: what is estimated (estimand), how (estimator), the figure, its standard error and the
method behind it, an interval, and how many people stand on each side. `side_by_side` sets them in one table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import linalg, stats

from sectorbook.errors import SectorbookError, unknown

FIELDS = [
    "estimand",
    "estimator",
    "estimate",
    "standard_error",
    "se_method",
    "ci_low",
    "ci_high",
    "p_value",
    "n_treated",
    "n_comparison",
]
ESTIMANDS = {
    "ITT": "effect of being offered the programme, on everyone assigned",
    "ATE": "average effect on everyone in the study",
    "ATT": "average effect on those who took part",
    "ATM": "average effect on the participants who could be matched",
    "LATE": "effect of taking part, on those who took part because they were offered it",
    "association": "a difference that is not yet an effect: nothing made the groups alike",
}


@dataclass(frozen=True)
class Effect:
    """An estimate that travels with its uncertainty and n. `detail` holds figures that belong to one estimator."""

    estimand: str
    estimator: str
    estimate: float
    standard_error: float
    se_method: str
    ci_low: float
    ci_high: float
    p_value: float
    n_treated: int
    n_comparison: int
    detail: dict[str, float] = field(default_factory=dict)

    def relabel(self, estimand: str | None = None, estimator: str | None = None) -> "Effect":
        """Return the same figures under another estimand or estimator name."""
        return replace(self, estimand=estimand or self.estimand, estimator=estimator or self.estimator)


def interval(
    estimate: float, standard_error: float, df: float = np.inf, level: float = 0.95
) -> tuple[float, float, float]:
    """Return `ci_low, ci_high, p_value` (two-sided, against no effect) from Student's t with `df`; normal when infinite."""
    if not 0 < level < 1:
        raise SectorbookError(f"Confidence level {level} is not between 0 and 1; 0.95 is usual.")
    if not np.isfinite(standard_error) or standard_error <= 0:
        return np.nan, np.nan, np.nan
    half = float(stats.t.ppf(0.5 + level / 2, df)) * standard_error
    return estimate - half, estimate + half, float(2 * stats.t.sf(abs(estimate / standard_error), df))


def effect(
    estimand: str,
    estimator: str,
    estimate: float,
    standard_error: float,
    se_method: str,
    n: tuple[int, int],
    df: float = np.inf,
    level: float = 0.95,
    **detail: float,
) -> Effect:
    """Build an `Effect`; `n` is (treated, comparison); `df` are the degrees of freedom of its t interval."""
    low, high, p = interval(float(estimate), float(standard_error), df, level)
    figures = {k: float(v) for k, v in detail.items()}
    if np.isfinite(df):
        figures["df"] = float(df)
    return Effect(
        estimand,
        estimator,
        float(estimate),
        float(standard_error),
        se_method,
        low,
        high,
        p,
        int(n[0]),
        int(n[1]),
        figures,
    )


def side_by_side(effects: Iterable[Effect], benchmark: float | None = None) -> pd.DataFrame:
    """Return one row per estimate (columns `FIELDS`).

    With a `benchmark` (an experiment's answer to the same question) adds `bias`, `bias_pct` and
    `covers_benchmark`, so that a reader sees which estimator would have misled.
    """
    table = pd.DataFrame([{f: getattr(e, f) for f in FIELDS} for e in effects], columns=FIELDS)
    if benchmark is not None:
        table["bias"] = table["estimate"] - benchmark
        table["bias_pct"] = 100 * table["bias"] / abs(benchmark)
        table["covers_benchmark"] = (table["ci_low"] <= benchmark) & (benchmark <= table["ci_high"])
    return table


@dataclass(frozen=True)
class Data:
    """Checked arrays of one comparison: outcome `y`, treatment `t` (0/1), covariates `x` (n × k), their `names`."""

    y: np.ndarray
    t: np.ndarray
    x: np.ndarray
    names: tuple[str, ...]
    index: pd.Index

    @property
    def treated(self) -> np.ndarray:
        """Boolean mask of the treated."""
        return self.t == 1

    @property
    def n(self) -> tuple[int, int]:
        """(treated, comparison)."""
        return int(self.t.sum()), int(len(self.t) - self.t.sum())


def numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return `frame[columns]` as floats (n × k).

    Raises SectorbookError for an unknown column, one that is not numeric, or one with a missing value: an
    estimator never drops a row by itself.
    """
    for name in columns:
        if name not in frame.columns:
            raise unknown("column", name, [str(c) for c in frame.columns])
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values):
            raise SectorbookError(
                f"Column {name!r} is not numeric: first value {values.iloc[0]!r}. Turn categories into 0/1 columns first."
            )
        bad = ~np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
        if bad.any():
            where = int(np.flatnonzero(bad)[0])
            raise SectorbookError(
                f"Column {name!r} has {int(bad.sum())} missing values of {len(bad)} (first in row {where}). "
                "Decide what they mean (missing, suppressed, not yet available) and drop or fill them before estimating."
            )
    if not columns:
        return np.empty((len(frame), 0))
    return frame[list(columns)].to_numpy(dtype=float)


def prepare(frame: pd.DataFrame, outcome: str, treatment: str, covariates: Sequence[str] = ()) -> Data:
    """Check and return the arrays of a comparison.

    Raises SectorbookError when `treatment` is not 0/1, an arm has fewer than two people, a column is unknown,
    missing or not numeric, or a covariate is constant or a combination of others.
    """
    values = numbers(frame, [outcome, treatment, *covariates])
    y, t, x = values[:, 0], values[:, 1], values[:, 2:]
    found = np.unique(t)
    if not np.isin(found, (0, 1)).all():
        raise SectorbookError(
            f"Column {treatment!r} must hold 1 (treated) or 0 (comparison); found {found[:5].tolist()}."
        )
    if min(t.sum(), len(t) - t.sum()) < 2:
        raise SectorbookError(
            f"Column {treatment!r}: {int(t.sum())} treated and {int(len(t) - t.sum())} comparison; each side needs 2 or more."
        )
    independent(x, covariates)
    return Data(y, t, x, tuple(covariates), frame.index)


def independent(x: np.ndarray, names: Sequence[str]) -> None:
    """Raise SectorbookError naming the first of the columns `x` that is constant or a combination of those before it."""
    if x.shape[1] == 0:
        return
    spread = x.std(axis=0)
    for name, s in zip(names, spread, strict=True):
        if s == 0:
            raise SectorbookError(f"Covariate {name!r} has one value only: it cannot adjust anything.")
    scaled = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / spread])
    pivot = np.abs(np.diag(linalg.qr(scaled, mode="r")[0]))
    flat = np.flatnonzero(pivot < 1e-9 * np.sqrt(len(x)))
    if len(flat):
        raise SectorbookError(
            f"Covariate {names[flat[0] - 1]!r} is a combination of the others; leave one of them out."
        )


@dataclass(frozen=True)
class Fit:
    """Coefficients, covariance, residual degrees of freedom and residuals of a linear regression."""

    params: np.ndarray
    cov: np.ndarray
    df: float
    resid: np.ndarray
    se_method: str

    def contrast(self, weights: np.ndarray) -> tuple[float, float]:
        """Return estimate and standard error of a linear combination of the coefficients."""
        weights = np.asarray(weights, dtype=float)
        return float(weights @ self.params), float(np.sqrt(weights @ self.cov @ weights))


SE_METHODS = ("classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1")


def regress(
    y: np.ndarray,
    x: np.ndarray,
    se: str = "HC2",
    weights: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> Fit:
    """Fit least squares, weighted when `weights` are given, with statsmodels.

    `se` is one of `SE_METHODS`: classical; heteroskedasticity-robust HC0–HC3 (MacKinnon & White 1985);
    cluster-robust CR0 (no correction) or CR1 (G/(G−1)·(N−1)/(N−K), as Stata's). CR needs `clusters`. Residual
    degrees of freedom are N − K, and G − 1 with clusters.
    """
    if se not in SE_METHODS:
        raise unknown("standard error method", se, SE_METHODS)
    model = sm.OLS(y, x) if weights is None else sm.WLS(y, x, weights=weights)
    if not se.startswith("CR"):
        fit = model.fit(cov_type="nonrobust" if se == "classical" else se)
        return Fit(
            np.asarray(fit.params),
            np.asarray(fit.cov_params()),
            float(fit.df_resid),
            y - x @ fit.params,
            se,
        )
    if clusters is None:
        raise SectorbookError(f"Standard errors {se} need to know the clusters (site, firm, pair).")
    codes, groups = pd.factorize(pd.Series(clusters))
    if len(groups) < 2:
        raise SectorbookError("Cluster-robust standard errors need two clusters or more; found one.")
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": se == "CR1"})
    label = f"{se}, clustered ({len(groups)} clusters)"
    return Fit(
        np.asarray(fit.params), np.asarray(fit.cov_params()), len(groups) - 1.0, y - x @ fit.params, label
    )


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Return Σwv / Σw."""
    return float(weights @ values / weights.sum())


def effective_sample_size(weights: np.ndarray) -> float:
    """Return Kish's effective sample size, (Σw)² / Σw² (Kish 1965, Survey Sampling)."""
    weights = np.asarray(weights, dtype=float)
    total = float((weights**2).sum())
    return float(weights.sum() ** 2 / total) if total else 0.0
