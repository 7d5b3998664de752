"""Difference-in-differences when firms or people start at different dates (Callaway & Sant'Anna 2021).

Each start cohort is compared only with units not treated by then, so early starters never serve as a comparison
for late ones. Callaway & Sant'Anna, Journal of Econometrics 225:200–230; doubly robust form Sant'Anna & Zhao 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import Effect, effect, independent, interval, numbers
from sectorbook.measures.weighting import logit_scores

CONTROLS = ("never treated", "not yet treated")


@dataclass(frozen=True)
class GroupTime:
    """Effects by start cohort and period, with each unit's influence on them (for aggregates).

    `table`: `cohort`, `period`, `estimate`, `standard_error`, `ci_low`, `ci_high`, `p_value`, `n_treated`,
    `n_comparison`. `influence`: units × rows of the table. `cohorts`: each unit's first treated period (infinite = never).
    `lags`: periods since start of each row; without it they are counted in the periods the table has.
    """

    table: pd.DataFrame
    influence: np.ndarray
    cohorts: np.ndarray
    se_method: str
    lags: np.ndarray | None = None


def group_time_effects(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    covariates: Sequence[str] = (),
    control: str = "never treated",
    level: float = 0.95,
) -> GroupTime:
    """Return ATT(g, t) for each cohort g and period t.

    `first_treated` holds the first treated period, missing = never. Periods before g are placebo effects, measured from the
    period before (varying base); from g on, the base is the last period before g. With `covariates` (values at the base
    period) the doubly robust form is used. `control`: "never treated" or "not yet treated". Standard errors from influence
    functions, one observation per unit. Raises SectorbookError for an unbalanced panel, a cohort treated from the start,
    or no comparison units.
    """
    if control not in CONTROLS:
        raise unknown("comparison group", control, CONTROLS)
    wide, starts, periods, x = _wide(frame, outcome, unit, time, first_treated, covariates)
    rows, influences = [], []
    n = len(starts)
    for cohort in sorted(g for g in np.unique(starts) if np.isfinite(g)):
        for k, period in enumerate(periods[1:], start=1):
            base = max(i for i, p in enumerate(periods) if p < cohort) if period >= cohort else k - 1
            treated = starts == cohort
            later = (starts > max(period, periods[base])) & ~treated
            other = np.isinf(starts) if control == "never treated" else later
            if not other.any():
                if control == "never treated":
                    raise SectorbookError("No unit is never treated; use control='not yet treated'.")
                continue
            change = wide[:, k] - wide[:, base]
            used = treated | other
            if len(covariates):
                names = [f"{c} at {periods[base]}" for c in covariates]
                value, part = _doubly_robust(change[used], treated[used], x[used, base], names)
            else:
                value, part = difference_of_changes(change[used], treated[used])
            influence = np.zeros(n)
            influence[used] = part * n / used.sum()
            influences.append(influence)
            rows.append((cohort, period, value, int(treated.sum()), int(other.sum())))
    if not rows:
        raise SectorbookError("No cohort and period could be compared: everyone is treated at once.")
    table = pd.DataFrame(rows, columns=["cohort", "period", "estimate", "n_treated", "n_comparison"])
    matrix = np.column_stack(influences)
    errors = np.sqrt((matrix**2).sum(axis=0)) / n
    bounds = [interval(v, e, np.inf, level) for v, e in zip(table["estimate"], errors, strict=True)]
    table.insert(3, "standard_error", errors)
    for position, name in enumerate(["ci_low", "ci_high", "p_value"]):
        table.insert(4 + position, name, [b[position] for b in bounds])
    return GroupTime(table, matrix, starts, "influence function, by unit")


def _wide(
    frame: pd.DataFrame, outcome: str, unit: str, time: str, first_treated: str, covariates: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, list, np.ndarray]:
    """Return outcomes (units × periods), start periods, the periods, and covariates (units × periods × k)."""
    for name in (unit, time, first_treated):
        if name not in frame.columns:
            raise unknown("column", name, [str(c) for c in frame.columns])
    numbers(frame, [outcome, *covariates])
    periods = sorted(frame[time].unique())
    if frame.duplicated([unit, time]).any() or len(frame) != frame[unit].nunique() * len(periods):
        raise SectorbookError(
            f"The panel must hold every {unit} once in each of the {len(periods)} periods; it has {len(frame)} rows for "
            f"{frame[unit].nunique()} units."
        )
    ordered = frame.sort_values([unit, time])
    shape = (-1, len(periods))
    starts = ordered[first_treated].to_numpy(dtype=float, na_value=np.nan).reshape(shape)
    starts = np.where(np.isnan(starts), np.inf, starts)
    if (starts != starts[:, :1]).any():
        raise SectorbookError(f"{first_treated!r} changes within a {unit}; it must be one date per unit.")
    starts = starts[:, 0]
    if (starts <= periods[0]).any():
        raise SectorbookError(
            f"{int((starts <= periods[0]).sum())} units are treated from the first period ({periods[0]}) on and have no before; "
            "leave them out."
        )
    starts = np.where(starts > periods[-1], np.inf, starts)
    x = ordered[list(covariates)].to_numpy(dtype=float).reshape(*(len(starts), len(periods)), len(covariates))
    return ordered[outcome].to_numpy(dtype=float).reshape(shape), starts, periods, x


def difference_of_changes(change: np.ndarray, treated: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the difference of mean changes and each unit's influence (mean zero)."""
    share = treated.mean()
    first, second = change[treated].mean(), change[~treated].mean()
    influence = treated * (change - first) / share - ~treated * (change - second) / (1 - share)
    return float(first - second), influence


def _doubly_robust(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, names: Sequence[str]
) -> tuple[float, np.ndarray]:
    """Return Sant'Anna & Zhao's doubly robust DiD (logit and least squares) and each unit's influence."""
    independent(x, names)
    n, d = len(change), treated.astype(float)
    z = np.column_stack([np.ones(n), (x - x.mean(axis=0)) / x.std(axis=0)])
    scores, _ = logit_scores(d, z)
    w1, w0 = d, scores * (1 - d) / (1 - scores)
    off = 1 - d
    gram = (z * off[:, None]).T @ z / n
    beta = np.linalg.solve(gram, z.T @ (off * change) / n)
    resid = change - z @ beta
    eta1, eta0 = (w1 @ resid) / w1.sum(), (w0 @ resid) / w0.sum()
    score_ls = (z * (off * resid)[:, None]) @ np.linalg.inv(gram)
    information = (z * (scores * (1 - scores))[:, None]).T @ z / n
    score_logit = (z * (d - scores)[:, None]) @ np.linalg.inv(information)
    slope1 = (z * w1[:, None]).mean(axis=0)
    part1 = (w1 * (resid - eta1) - score_ls @ slope1) / w1.mean()
    slope_ps = (z * (w0 * (resid - eta0))[:, None]).mean(axis=0)
    slope0 = (z * w0[:, None]).mean(axis=0)
    part0 = (w0 * (resid - eta0) + score_logit @ slope_ps - score_ls @ slope0) / w0.mean()
    return float(eta1 - eta0), part1 - part0


AGGREGATES = ("simple", "dynamic", "cohort", "period")


def aggregate(result: GroupTime, kind: str = "simple", level: float = 0.95) -> tuple[Effect, pd.DataFrame]:
    """Return one overall effect and its parts.

    `kind`: "simple" (all treated cohort-periods by cohort size), "dynamic" (by periods since start; the overall averages
    those at or after it), "cohort" (by start cohort), "period" (by calendar period). Cohort shares are estimated, and the
    standard errors count that. Parts: `key`, `estimate`, `standard_error`, `ci_low`, `ci_high`, `p_value`.
    """
    if kind not in AGGREGATES:
        raise unknown("aggregate", kind, AGGREGATES)
    table, n = result.table, len(result.cohorts)
    cohort, period = table["cohort"].to_numpy(dtype=float), table["period"].to_numpy(dtype=float)
    after = period >= cohort
    if not after.any():
        raise SectorbookError("No cohort has a period at or after its start.")
    lag = _lags(result)
    key = {"simple": np.zeros(len(table)), "dynamic": lag, "cohort": cohort, "period": period}[kind]
    parts, influences = [], []
    for value in np.unique(key[after] if kind != "dynamic" else key):
        chosen = np.flatnonzero((key == value) & (after | (kind == "dynamic")))
        estimate, influence = _weighted(result, chosen)
        parts.append((value, estimate))
        influences.append(influence)
    matrix = np.column_stack(influences)
    if kind == "cohort":
        shares = np.array([(result.cohorts == v).mean() for v, _ in parts])
        weights, extra = _share_weights(result, [v for v, _ in parts], shares)
        estimates = np.array([e for _, e in parts])
        overall, total = weights @ estimates, matrix @ weights + extra @ estimates
    else:
        late = np.array([kind != "dynamic" or v >= 0 for v, _ in parts])
        overall, total = (
            np.mean([e for (_, e), k in zip(parts, late, strict=True) if k]),
            matrix[:, late].mean(axis=1),
        )
    rows = []
    for (value, estimate), influence in zip(parts, matrix.T, strict=True):
        error = np.sqrt((influence**2).sum()) / n
        rows.append((value, estimate, error, *interval(estimate, error, np.inf, level)))
    columns = ["key", "estimate", "standard_error", "ci_low", "ci_high", "p_value"]
    treated = int(np.isin(result.cohorts, cohort[after]).sum())
    whole = effect(
        "ATT",
        f"staggered difference-in-differences ({kind})",
        overall,
        np.sqrt((total**2).sum()) / n,
        result.se_method,
        (treated, int(table["n_comparison"].max())),
        level=level,
    )
    return whole, pd.DataFrame(rows, columns=columns)


def _lags(result: GroupTime) -> np.ndarray:
    """Return periods since start, counted in steps of the panel (a placebo one step before start is −1)."""
    if result.lags is not None:
        return result.lags
    steps = {p: i for i, p in enumerate(sorted(set(result.table["period"])), start=1)}
    order = np.array(sorted(steps), dtype=float)
    starts = np.searchsorted(order, result.table["cohort"].to_numpy(dtype=float)) + 1
    return result.table["period"].map(steps).to_numpy(dtype=float) - starts


def _share_weights(
    result: GroupTime, groups: Sequence[float], shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights proportional to cohort shares and each unit's influence on them (units × groups)."""
    total = shares.sum()
    own = np.column_stack([(result.cohorts == g).astype(float) for g in groups]) - shares
    return shares / total, own / total - own.sum(axis=1, keepdims=True) * shares / total**2


def _weighted(result: GroupTime, chosen: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cohort-share-weighted mean of the `chosen` rows and its influence."""
    groups = result.table["cohort"].to_numpy(dtype=float)[chosen]
    shares = np.array([(result.cohorts == g).mean() for g in groups])
    weights, extra = _share_weights(result, groups, shares)
    values = result.table["estimate"].to_numpy()[chosen]
    return float(weights @ values), result.influence[:, chosen] @ weights + extra @ values


def pre_trend_test(result: GroupTime) -> dict[str, float]:
    """Return the Wald test that all effects before the start are zero: `statistic`, `df`, `p_value` (chi-square)."""
    before = (result.table["period"] < result.table["cohort"]).to_numpy()
    if not before.any():
        raise SectorbookError("No cohort has a period before its start to test.")
    values = result.table["estimate"].to_numpy()[before]
    part = result.influence[:, before]
    covariance = part.T @ part / len(result.cohorts) ** 2
    statistic = float(values @ np.linalg.solve(covariance, values))
    return {
        "statistic": statistic,
        "df": int(before.sum()),
        "p_value": float(stats.chi2.sf(statistic, before.sum())),
    }
