"""Regressions, variances and covariances from a sample of employers, with the design's own standard errors.

The sandwich of Binder (1983), International Statistical Review 51:279-292: the estimating equations' totals have the
covariance that any total of the design has. It is what R's `survey` does in `svyglm` and `svyvar`, the oracle of the tests.
"""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.survey import Design, column, covariance, degrees_of_freedom, mean, numbers

Family = Literal["gaussian", "logistic"]
_FAMILIES = {"gaussian": sm.families.Gaussian, "logistic": sm.families.Binomial}
# The fit stops when no coefficient moves by more than this share of itself, well below any tolerance of the tests.
_SETTLED = 1e-12


def variance(design: Design, variable: str, confidence: float = 0.95) -> pd.DataFrame:
    """Return the population variance of a numeric column: how far employers are from each other.

    The weighted mean of (y - mean)^2 n/(n - 1) over the n rows with a value; its standard error takes the mean as
    known, as R's `svyvar` does. Columns as `survey.mean`. Missing where fewer than two rows have a value.
    """
    y = numbers(design, variable)
    known = ~np.isnan(y)
    n = int(known.sum())
    if n < 2:
        spread = np.full(len(y), np.nan)
    else:
        centre = design.weight[known] @ y[known] / design.weight[known].sum()
        spread = (y - centre) ** 2 * n / (n - 1)
    squared = replace(design, frame=design.frame.assign(**{variable: spread}))
    return mean(squared, variable, confidence=confidence)


def mean_covariance(design: Design, variables: Sequence[str]) -> pd.DataFrame:
    """Return the covariance matrix of the estimated means of numeric columns, variables by variables.

    Needed for anything made of several means of the same employers, such as a change between two answers. Only rows
    with all values count. Raises SectorbookError when there is none.
    """
    y = np.column_stack([numbers(design, name) for name in variables])
    rows = ~np.isnan(y).any(axis=1)
    if not rows.any():
        raise SectorbookError(f"No row has a value in all of {', '.join(variables)}.")
    w = design.weight * rows
    centre = w @ np.nan_to_num(y) / w.sum()
    influence = rows[:, None] * (np.nan_to_num(y) - centre) / w.sum()
    names = list(variables)
    return pd.DataFrame(covariance(design, influence), names, names)


def regression(
    design: Design,
    outcome: str,
    predictors: Sequence[str],
    family: Family = "gaussian",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the coefficients of a weighted linear ("gaussian") or logistic regression, one row per term.

    `outcome` is numeric, 0 or 1 for "logistic". A predictor of text becomes one term per level after the first
    ("size_class = s250"). Rows with anything missing are left out and counted. Columns `term`, `estimate` (log odds for
    "logistic"), `se`, `ci_low`, `ci_high`, `t`, `p` (Student's t with the design's degrees of freedom + 1 - terms), `df`,
    `n`, `n_missing`. Raises SectorbookError for text or other values in the outcome, terms that determine each other,
    more terms than the design's degrees of freedom allow, and answers that a predictor separates perfectly.
    """
    if family not in _FAMILIES:
        raise unknown("family of a regression", family, _FAMILIES)
    y, terms = numbers(design, outcome), _terms(design, predictors)
    rows = ~np.isnan(y) & ~terms.isna().any(axis=1).to_numpy()
    if family == "logistic" and not np.isin(y[rows], (0, 1)).all():
        bad = int(np.flatnonzero(rows & ~np.isin(y, (0, 1)))[0])
        raise SectorbookError(
            f"Row {design.frame.index[bad]!r}, column {outcome!r}: found {y[bad]:g}; a logistic regression takes 0 and 1."
        )
    x = terms.to_numpy(dtype=float)
    _check(x[rows], list(terms), degrees_of_freedom(design, rows))
    fitted = _fitted(y[rows], x[rows], design.weight[rows], family, outcome)
    mu = np.zeros(len(y))
    mu[rows] = fitted.fittedvalues
    slope = mu * (1 - mu) if family == "logistic" else np.ones(len(y))
    x, y = np.where(rows[:, None], x, 0.0), np.where(rows, y, 0.0)
    bread = np.linalg.inv((x * (design.weight * slope)[:, None]).T @ x)
    influence = (x * (y - mu)[:, None]) @ bread
    se = np.sqrt(np.maximum(np.diag(covariance(design, influence)), 0.0))
    df = degrees_of_freedom(design, rows) + 1 - len(terms.columns)
    half = stats.t.ppf((1 + confidence) / 2, df) * se
    t = np.divide(fitted.params, se, out=np.full(len(se), np.nan), where=se > 0)
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": fitted.params,
            "se": se,
            "ci_low": fitted.params - half,
            "ci_high": fitted.params + half,
            "t": t,
            "p": 2 * stats.t.sf(np.abs(t), df),
            "df": df,
            "n": int(rows.sum()),
            "n_missing": int((~rows).sum()),
        }
    )


def _terms(design: Design, predictors: Sequence[str]) -> pd.DataFrame:
    parts = [pd.Series(1.0, design.frame.index, name="intercept")]
    for name in predictors:
        values = column(design.frame, name)
        if pd.api.types.is_numeric_dtype(values):
            parts.append(values.astype("Float64").astype(float))
            continue
        for level in sorted(values.dropna().unique())[1:]:
            hit = (values == level).fillna(False).astype(float).where(values.notna())
            parts.append(hit.rename(f"{name} = {level}"))
    return pd.concat(parts, axis=1)


def _check(x: np.ndarray, terms: list[str], df: int) -> None:
    if len(x) == 0:
        raise SectorbookError("No row has the outcome and all predictors, so no regression can be fitted.")
    if np.linalg.matrix_rank(x) < len(terms):
        raise SectorbookError(
            f"These terms determine each other in the {len(x)} rows with answers: {', '.join(terms)}. Leave one out."
        )
    if df + 1 - len(terms) < 1:
        raise SectorbookError(f"{len(terms)} terms are more than {df} degrees of freedom allow; use fewer.")


def _fitted(y: np.ndarray, x: np.ndarray, weight: np.ndarray, family: Family, outcome: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model = sm.GLM(y, x, family=_FAMILIES[family](), freq_weights=weight / weight.mean())
            return model.fit(maxiter=100, tol=_SETTLED, tol_criterion="params")
        except (PerfectSeparationWarning, ConvergenceWarning) as warning:
            raise SectorbookError(
                f"The predictors tell every answer to {outcome!r} apart, so no odds can be estimated. Leave one out."
            ) from warning
