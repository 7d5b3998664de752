"""Firms or people seen more than once: fixed effects, first differences, difference-in-differences, event study.

For entry at different dates use `staggered`; two-way fixed effects would compare late starters with early ones.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.clusters import cluster_robust
from sectorbook.measures.effects import Effect, Fit, effect, independent, interval, numbers, regress

PANEL_SE = ("classical", "CR0", "CR1", "CR2")


def _check_panel(frame: pd.DataFrame, unit: str, time: str) -> None:
    for name in (unit, time):
        if name not in frame.columns:
            raise unknown("column", name, [str(c) for c in frame.columns])
    twice = frame.duplicated([unit, time])
    if twice.any():
        who, when = frame.loc[twice, unit].iloc[0], frame.loc[twice, time].iloc[0]
        raise SectorbookError(
            f"{int(twice.sum())} rows repeat a {unit} and {time} (first: {unit} {who}, {time} {when}). "
            "One row per unit and period."
        )


def _dummies(frame: pd.DataFrame, time: str) -> pd.DataFrame:
    periods = sorted(frame[time].unique())
    return pd.DataFrame(
        {f"{time}={p}": (frame[time] == p).astype(float) for p in periods[1:]}, index=frame.index
    )


def fixed_effects(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    unit: str,
    time: str,
    period_effects: bool = True,
    se: str = "CR2",
    level: float = 0.95,
) -> pd.DataFrame:
    """Return a regression with one effect per unit (within estimator), and per period unless `period_effects` is False.

    Wooldridge 2010, Econometric Analysis, ch. 10. One row per regressor (period effects are fitted, not shown): `term`,
    `estimate`, `standard_error`, `se_method`, `df`, `ci_low`, `ci_high`, `p_value`, `n_rows`, `n_units`. `se`: classical
    (N − units − K); clustered by unit: CR0, CR1 (G/(G−1)·(N−1)/(N−K−1), the unit effects not counted, as Stata's
    xtreg), CR2 (Bell–McCaffrey, Satterthwaite df: the honest one with few firms).
    """
    x, y, units, _ = _within(frame, outcome, regressors, unit, time, period_effects)
    rows, found = [], _panel_error(y, x, units, se)
    for position, name in enumerate(regressors):
        estimate, error, df, label = found(np.eye(x.shape[1])[position])
        low, high, p = interval(estimate, error, df, level)
        rows.append(
            {
                "term": name,
                "estimate": estimate,
                "standard_error": error,
                "se_method": label,
                "df": df,
                "ci_low": low,
                "ci_high": high,
                "p_value": p,
                "n_rows": len(y),
                "n_units": int(units.max() + 1),
            }
        )
    return pd.DataFrame(rows)


def _within(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], unit: str, time: str, period_effects: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Return regressors and outcome less their unit means, unit codes, and column names."""
    _check_panel(frame, unit, time)
    numbers(frame, [outcome, *regressors])
    columns = frame[[outcome, *regressors]].astype(float)
    if period_effects:
        columns = columns.join(_dummies(frame, time))
    units = pd.factorize(frame[unit])[0]
    demeaned = (columns - columns.groupby(units).transform("mean")).to_numpy()
    names = list(columns.columns[1:])
    x = demeaned[:, 1:]
    size = np.abs(columns.to_numpy()[:, 1:]).max(axis=0)
    for name, column, scale in zip(names, x.T, size, strict=True):
        if np.abs(column).max() <= 1e-12 * max(scale, 1):
            raise SectorbookError(
                f"{name!r} never changes within a {unit}, so its effect cannot be told from the unit's own."
            )
    independent(x, names)
    if len(x) - units.max() - 1 - x.shape[1] <= 0:
        raise SectorbookError(
            f"{len(x)} rows cannot support {units.max() + 1} unit effects and {x.shape[1]} coefficients."
        )
    return x, demeaned[:, 0], units, names


def _panel_error(
    y: np.ndarray, x: np.ndarray, units: np.ndarray, se: str
) -> Callable[[np.ndarray], tuple[float, float, float, str]]:
    """Return what gives a contrast's estimate, standard error, degrees of freedom and method; the fit is made once."""
    n, k, g = len(y), x.shape[1], int(units.max() + 1)
    if se not in PANEL_SE:
        raise unknown("standard error method", se, PANEL_SE)
    if se == "CR2":

        def bias_reduced(contrast: np.ndarray) -> tuple[float, float, float, str]:
            found = cluster_robust(y, x, units, "CR2", contrast)
            return found.estimate, found.standard_error, found.df, found.se_method

        return bias_reduced
    if se == "classical":
        fit, factor = regress(y, x, "classical"), np.sqrt((n - k) / (n - g - k))
        return lambda contrast: _scaled(fit, contrast, factor, n - g - k, "classical, N − units − K")
    fit = regress(y, x, "CR0", clusters=units)
    if se == "CR0":
        return lambda contrast: _scaled(fit, contrast, 1.0, fit.df, fit.se_method)
    factor = np.sqrt(g / (g - 1) * (n - 1) / (n - k - 1))
    return lambda contrast: _scaled(fit, contrast, factor, g - 1, f"CR1, clustered by unit ({g})")


def _scaled(
    fit: Fit, contrast: np.ndarray, factor: float, df: float, label: str
) -> tuple[float, float, float, str]:
    estimate, error = fit.contrast(contrast)
    return estimate, error * factor, float(df), label


def random_effects(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], unit: str, time: str, level: float = 0.95
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return a regression in which each unit's own level is drawn at random, and Hausman's test of it against fixed effects.

    Swamy & Arora 1972; Wooldridge 2010, sections 10.4 and 10.7.3. Everything less theta times its unit mean, theta =
    1 - s_e / sqrt(T s_u^2 + s_e^2), the two spreads from the regressions within units and between their means; theta 0 where
    the second comes out smaller. Right only if the levels have nothing to do with the regressors: a small p of the test speaks
    for fixed effects. No period effects but those among the regressors. Table: `term`, `estimate`, `standard_error`
    (classical), `ci_low`, `ci_high`, `p_value`, `n_rows`, `n_units`. Test: `statistic`, `df`, `p_value` of Hausman (1978) from
    the difference of the two covariances, missing where that comes out negative, as it may; and `p_value_means` (`df_means`),
    its form that always has an answer: do the units' means of the regressors matter (Mundlak 1978), errors by unit.
    Raises SectorbookError for an unbalanced panel.
    """
    x, y, units, _ = _within(frame, outcome, regressors, unit, time, False)
    (n, k), g, periods = x.shape, int(units.max() + 1), frame[time].nunique()
    if n != g * periods:
        raise SectorbookError(
            f"The panel must hold each of {g} units in all {periods} periods; it has {n} rows."
        )
    within = regress(y, x, "classical")
    error = (within.resid**2).sum() / (n - g - k)
    own = frame[[outcome, *regressors]].astype(float)
    means = own.groupby(units).mean().to_numpy()
    levels = np.column_stack([np.ones(g), means[:, 1:]])
    fitted, _, rank, _ = np.linalg.lstsq(levels, means[:, 0], rcond=None)
    between = periods * ((means[:, 0] - levels @ fitted) ** 2).sum() / (g - rank)
    theta = max(0.0, 1 - np.sqrt(error / between))
    quasi = own.to_numpy() - theta * means[units]
    fit = regress(quasi[:, 0], np.column_stack([np.full(n, 1 - theta), quasi[:, 1:]]), "classical")
    rows = []
    for place, name in enumerate(["(Intercept)", *regressors]):
        estimate, spread = fit.contrast(np.eye(k + 1)[place])
        bounds = dict(
            zip(("ci_low", "ci_high", "p_value"), interval(estimate, spread, n - k - 1, level), strict=True)
        )
        rows.append(
            {"term": name, "estimate": estimate, "standard_error": spread}
            | bounds
            | {"n_rows": n, "n_units": g}
        )
    gap = within.params - fit.params[1:]
    spread = within.cov * (n - k) / (n - g - k) - fit.cov[1:, 1:]
    statistic = float(gap @ np.linalg.solve(spread, gap))
    statistic = statistic if statistic >= 0 else np.nan
    moving = means[:, 1:].std(axis=0) > 1e-12 * np.abs(means[:, 1:]).max()
    test = {
        "statistic": statistic,
        "df": k,
        "p_value": float(stats.chi2.sf(statistic, k)),
        "df_means": int(moving.sum()),
    }
    if moving.any():
        both = np.column_stack([np.full(n, 1 - theta), quasi[:, 1:], means[units][:, 1:][:, moving]])
        wide = regress(quasi[:, 0], both, "CR1", clusters=units)
        wald = wide.params[k + 1 :] @ np.linalg.solve(wide.cov[k + 1 :, k + 1 :], wide.params[k + 1 :])
        test["p_value_means"] = float(stats.f.sf(wald / moving.sum(), moving.sum(), wide.df))
    return pd.DataFrame(rows), test


def first_differences(frame: pd.DataFrame, columns: Sequence[str], unit: str, time: str) -> pd.DataFrame:
    """Return `columns` as changes since the unit's previous row, with `unit` and `time`; first rows fall away.

    Raises SectorbookError when a unit skips a period, for the change would then span two.
    """
    _check_panel(frame, unit, time)
    ordered = frame.sort_values([unit, time])
    periods = {p: i for i, p in enumerate(sorted(frame[time].unique()))}
    step = ordered[time].map(periods).groupby(ordered[unit]).diff()
    if (step > 1).any():
        who, when = ordered.loc[step > 1, unit].iloc[0], ordered.loc[step > 1, time].iloc[0]
        raise SectorbookError(
            f"{unit} {who} has no row just before {time} {when}: its change would span a gap."
        )
    changes = ordered.groupby(unit)[list(columns)].diff()
    return ordered[[unit, time]].join(changes)[step == 1]


def difference_in_differences(
    frame: pd.DataFrame,
    outcome: str,
    treated: str,
    post: str,
    unit: str,
    time: str,
    covariates: Sequence[str] = (),
    se: str = "CR2",
    level: float = 0.95,
) -> Effect:
    """Return the coefficient of treated × post with unit and period effects: one start date for all.

    Right only if both groups would have moved in parallel; `event_study` tests the part before the start. Raises
    SectorbookError when `post` differs between units in the same period (staggered entry).
    """
    values = numbers(frame, [treated, post])
    if not np.isin(values, (0, 1)).all():
        raise SectorbookError(f"{treated!r} and {post!r} must hold 1 or 0.")
    if (frame.groupby(time)[post].nunique() > 1).any():
        raise SectorbookError("Units start at different dates; use staggered.group_time_effects.")
    if (frame.groupby(unit)[treated].nunique() > 1).any():
        raise SectorbookError(f"{treated!r} changes within a {unit}; it must say who is ever treated.")
    name = "treated × post"
    panel = frame.assign(**{name: values[:, 0] * values[:, 1]})
    row = fixed_effects(panel, outcome, [name, *covariates], unit, time, True, se, level).iloc[0]
    sides = frame.drop_duplicates(unit)[treated]
    return effect(
        "ATT",
        "difference-in-differences",
        row["estimate"],
        row["standard_error"],
        row["se_method"],
        (int(sides.sum()), int((1 - sides).sum())),
        row["df"],
        level,
    )


def event_study(
    frame: pd.DataFrame,
    outcome: str,
    treated: str,
    start: float,
    unit: str,
    time: str,
    reference: float | None = None,
    se: str = "CR2",
    level: float = 0.95,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the treated group's gap in each period against the `reference` period, and the pre-trend test.

    `start` is the first treated period, the same for all treated units; `reference` defaults to the last period before it.
    Table: `period`, `before_start`, and the columns of `fixed_effects`; the reference period is a row of 0 without an
    interval. Test: `statistic`, `df_numerator`, `df_denominator`, `p_value`: cluster-robust (CR1) Wald F that every gap
    before the start is 0. A large p is weak comfort (Roth 2022, AER: Insights 4:305–322): it also comes from few units.
    """
    periods = sorted(frame[time].unique())
    before = [p for p in periods if p < start]
    if not before or len(before) == len(periods):
        raise SectorbookError(f"start {start} leaves no period before or none after; periods are {periods}.")
    reference = before[-1] if reference is None else reference
    if reference not in before:
        raise SectorbookError(f"reference {reference} must be a period before the start: {before}.")
    flag = numbers(frame, [treated])[:, 0]
    names = {p: f"treated × {time}={p}" for p in periods if p != reference}
    panel = frame.assign(**{name: flag * (frame[time] == p).to_numpy() for p, name in names.items()})
    table = fixed_effects(panel, outcome, list(names.values()), unit, time, True, se, level)
    table.insert(0, "period", list(names))
    blank = dict.fromkeys(table.columns, np.nan) | {
        "period": reference,
        "term": "reference",
        "estimate": 0.0,
        "se_method": "none",
        "n_rows": table["n_rows"].iloc[0],
        "n_units": table["n_units"].iloc[0],
    }
    table = pd.concat([table, pd.DataFrame([blank]).astype(table.dtypes.to_dict())]).sort_values(
        "period", ignore_index=True
    )
    table.insert(1, "before_start", table["period"] < start)
    tested = [list(names).index(p) for p in before if p != reference]
    test = {"statistic": np.nan, "df_numerator": len(tested), "df_denominator": np.nan, "p_value": np.nan}
    if tested:
        x, y, units, _ = _within(panel, outcome, list(names.values()), unit, time, True)
        fit = regress(y, x, "CR1", clusters=units)
        gaps, cov = fit.params[tested], fit.cov[np.ix_(tested, tested)]
        statistic = float(gaps @ np.linalg.solve(cov, gaps)) / len(tested)
        test |= {
            "statistic": statistic,
            "df_denominator": fit.df,
            "p_value": float(stats.f.sf(statistic, len(tested), fit.df)),
        }
    return table, test
