"""Design-based estimates from a sample of employers: means, totals, proportions, ratios, quantiles, by domain.

Variances are by Taylor linearization over the stages of the design (Särndal, Swensson and Wretman 1992, chapters 4 and
5), the same estimator as R's `survey` (Lumley 2004), which is the oracle of the tests. The library that does this in
Python takes only polars frames, whose threads do not survive the forked kernels that run the chapters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown

SingleUnit = Literal["error", "certainty", "centre"]


@dataclass(frozen=True)
class Calibration:
    """What a calibration fixed: the auxiliary columns, the weights of their regression, and the calibrated weights."""

    auxiliaries: np.ndarray
    regression_weight: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Design:
    """A sample and how it was drawn; made by `survey_design`, changed by the functions of `survey_weights`.

    `frame` has one row per respondent, `weight` its weight. Per stage: `strata` (a code per row of the group that units
    are drawn from), `units` (a code of the unit drawn), `population` (units in the group, missing when unknown).
    """

    frame: pd.DataFrame
    weight: np.ndarray
    strata: tuple[np.ndarray, ...]
    units: tuple[np.ndarray, ...]
    population: tuple[np.ndarray, ...]
    single_unit: SingleUnit = "error"
    calibrations: tuple[Calibration, ...] = ()


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return the column, or raise a SectorbookError that lists the columns there are."""
    if name not in frame:
        raise unknown("survey column", name, map(str, frame.columns))
    return frame[name]


def survey_design(
    frame: pd.DataFrame,
    weight: str | None = None,
    strata: str | None = None,
    clusters: Sequence[str] = (),
    population: Sequence[str] = (),
    single_unit: SingleUnit = "error",
) -> Design:
    """Return the design of a sample with one row per respondent.

    `clusters`: the columns that name the unit drawn at each stage, the first stage first; none means each row was
    drawn by itself. `strata`: the column the first stage was stratified by. `population`: per stage, the column with
    the number of units in the row's stratum (or, from stage 2 on, in its cluster); it gives the finite-population
    correction. `weight`: the column of weights; without it they are the inverse of the sampling fractions of
    `population`. `single_unit` says what to do with a stratum of one drawn unit that is not all there is: raise, take
    it as "certainty" (adds no variance), or "centre" it on the mean of all strata.
    Raises SectorbookError for unknown columns, missing or non-positive weights, missing population counts or ones
    smaller than the sample, and when neither weight nor population is given.
    """
    if frame.empty:
        raise SectorbookError("The sample has no rows, so nothing can be estimated.")
    if single_unit not in ("error", "certainty", "centre"):
        raise unknown("rule for single units", single_unit, ("error", "certainty", "centre"))
    group = np.zeros(len(frame), dtype=int) if strata is None else _codes(column(frame, strata), strata)
    stage_strata, stage_units = [], []
    for name in clusters or (None,):
        unit = np.arange(len(frame)) if name is None else _codes(column(frame, name), name)
        unit = _pairs(group, unit)
        stage_strata.append(group)
        stage_units.append(unit)
        group = unit
    if len(population) > len(stage_units):
        raise SectorbookError(
            f"There are {len(population)} population columns for {len(stage_units)} stages of sampling."
        )
    sizes = [np.full(len(frame), np.nan)] * len(stage_units)
    for stage, name in enumerate(population):
        sizes[stage] = _population(column(frame, name), name, stage_strata[stage], stage_units[stage])
    if weight is not None:
        values = column(frame, weight).to_numpy(dtype=float)
        bad = np.flatnonzero(~(values > 0) | ~np.isfinite(values))
        if len(bad):
            raise SectorbookError(
                f"Row {frame.index[bad[0]]!r}, column {weight!r}: found {values[bad[0]]}; a weight is above 0."
            )
    elif len(population) == len(stage_units):
        values = np.ones(len(frame))
        for group, unit, size in zip(stage_strata, stage_units, sizes, strict=True):
            values = values * size / _drawn(group, unit)
    else:
        raise SectorbookError(
            "Give the column of weights, or the population counts of every stage to work them out."
        )
    return Design(frame, values, tuple(stage_strata), tuple(stage_units), tuple(sizes), single_unit)


def _codes(values: pd.Series, name: str) -> np.ndarray:
    if values.isna().any():
        raise SectorbookError(
            f"Row {values.index[values.isna()][0]!r}, column {name!r}: found nothing; the design needs it."
        )
    return pd.factorize(values)[0]


def _pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return pd.factorize(first.astype(np.int64) * (int(second.max()) + 1) + second)[0]


def _drawn(group: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return, per row, how many units were drawn from the row's group."""
    return pd.Series(unit).groupby(group).transform("nunique").to_numpy(dtype=float)


def _population(values: pd.Series, name: str, group: np.ndarray, unit: np.ndarray) -> np.ndarray:
    size, drawn = values.to_numpy(dtype=float), _drawn(group, unit)
    bad = np.flatnonzero(~(size >= drawn))
    if len(bad):
        row = bad[0]
        raise SectorbookError(
            f"Row {values.index[row]!r}, column {name!r}: found {size[row]}; the population of the row's stratum "
            f"must be at least the {drawn[row]:.0f} units drawn from it."
        )
    if (pd.Series(size).groupby(group).transform("nunique") > 1).any():
        raise SectorbookError(f"Column {name!r} gives more than one population to the same stratum.")
    return size


def covariance(design: Design, influence: np.ndarray) -> np.ndarray:
    """Return the covariance matrix of estimates from the influence of each row on each (rows × estimates).

    Sum over stages and strata of (1 - n/N) n/(n-1) sum (t_u - mean t)^2, where t are weighted unit totals and later
    stages are multiplied by the sampling fractions before them. Stages after one without a population count add
    nothing: the first stage's spread already holds theirs.
    """
    x = influence * design.weight[:, None]
    for step in design.calibrations:
        x = _residual(x, step)
    out = np.zeros((x.shape[1],) * 2)
    share = np.ones(len(x))
    for group, unit, size in zip(design.strata, design.units, design.population, strict=True):
        drawn = _drawn(group, unit)
        fraction = np.where(np.isnan(size), 0.0, drawn / np.where(np.isnan(size), 1.0, size))
        out += _stage(x, group, unit, drawn, fraction, share, design.single_unit)
        if np.isnan(size).any():
            break
        share = share * fraction
    return out


def _residual(x: np.ndarray, step: Calibration) -> np.ndarray:
    root = np.sqrt(step.regression_weight)[:, None]
    z = x / step.weight[:, None]
    fit = np.linalg.lstsq(step.auxiliaries * root, z * root, rcond=None)[0]
    return (z - step.auxiliaries @ fit) * step.weight[:, None]


def _stage(
    x: np.ndarray,
    group: np.ndarray,
    unit: np.ndarray,
    drawn: np.ndarray,
    fraction: np.ndarray,
    share: np.ndarray,
    single_unit: SingleUnit,
) -> np.ndarray:
    totals = pd.DataFrame(x).groupby(unit).sum().to_numpy()
    first_row = pd.Series(np.arange(len(unit))).groupby(unit).first().to_numpy()
    group, drawn, fraction, share = group[first_row], drawn[first_row], fraction[first_row], share[first_row]
    spread = totals - pd.DataFrame(totals).groupby(group).transform("mean").to_numpy()
    factor = share * (1 - fraction) * drawn / np.maximum(drawn - 1, 1)
    alone = (drawn == 1) & (fraction < 1)
    if alone.any() and single_unit == "error":
        raise SectorbookError(
            f"{alone.sum()} strata have one unit drawn of several, so their variance cannot be estimated. Merge strata, "
            "or set single_unit to 'certainty' or 'centre'."
        )
    if single_unit == "centre":
        spread[alone] = totals[alone] - totals.mean(axis=0)
    return (spread * factor[:, None]).T @ spread


def degrees_of_freedom(design: Design, rows: np.ndarray | None = None) -> int:
    """Return first-stage units - first-stage strata, among the `rows` (a truth value each) or all."""
    rows = np.ones(len(design.weight), dtype=bool) if rows is None else rows
    return len(np.unique(design.units[0][rows])) - len(np.unique(design.strata[0][rows]))


def numbers(design: Design, variable: str) -> np.ndarray:
    """Return a numeric column, missing where there is no value. Raises SectorbookError for text."""
    values = column(design.frame, variable)
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype):
        raise SectorbookError(
            f"Column {variable!r} holds text; this estimate needs numbers. For text use `proportion`."
        )
    return values.to_numpy(dtype=float, na_value=np.nan)


def _domains(design: Design, by: str | None) -> list[tuple[object, np.ndarray]]:
    if by is None:
        return [(None, np.ones(len(design.weight), dtype=bool))]
    values = column(design.frame, by)
    return [
        (level, (values == level).fillna(False).to_numpy(dtype=bool))
        for level in sorted(values.dropna().unique())
    ]


def _t_row(design: Design, rows: np.ndarray, estimate: float, se: float, confidence: float) -> dict:
    df = degrees_of_freedom(design, rows)
    half = stats.t.ppf((1 + confidence) / 2, df) * se if df > 0 else np.nan
    return {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "df": df,
        "n": int(rows.sum()),
    }


def _per_domain(design: Design, by: str | None, one: Callable[[np.ndarray], dict]) -> pd.DataFrame:
    rows = []
    for level, inside in _domains(design, by):
        rows.append(one(inside) if by is None else {by: level, **one(inside)})
    return pd.DataFrame(rows)


def mean(design: Design, variable: str, by: str | None = None, confidence: float = 0.95) -> pd.DataFrame:
    """Return the mean of a numeric column, overall or per level of `by`.

    sum(w y) / sum(w); rows without a value are a domain left out, and counted in `n_missing`. Returns `estimate`, `se`,
    `ci_low`, `ci_high` (Student's t on `df`), `n`, `n_missing`, `design_effect` (variance / that of a simple random
    sample of n). A domain without answers has missing estimates. Raises SectorbookError for text.
    """
    y = numbers(design, variable)
    return _per_domain(design, by, lambda inside: _mean_row(design, y, inside, confidence))


def _mean_row(design: Design, y: np.ndarray, inside: np.ndarray, confidence: float) -> dict:
    rows = inside & ~np.isnan(y)
    w = design.weight * rows
    value, influence = _weighted_mean(w, np.nan_to_num(y), rows)
    se = _se(design, influence)
    row = _t_row(design, rows, value, se, confidence)
    n_missing = int((inside & np.isnan(y)).sum())
    return {**row, "n_missing": n_missing, "design_effect": se**2 / (_srs_variance(w, y, rows) or np.nan)}


def _weighted_mean(w: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
    if not rows.any():
        return np.nan, np.full(len(w), np.nan)
    value = float(w @ y / w.sum())
    return value, rows * (y - value) / w.sum()


def _se(design: Design, influence: np.ndarray) -> float:
    if np.isnan(influence).any():
        return np.nan
    return float(np.sqrt(max(covariance(design, influence[:, None])[0, 0], 0.0)))


def _srs_variance(w: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
    """Return the variance of the mean if as many had been drawn at random without replacement from sum(w) units."""
    n, size = rows.sum(), w.sum()
    if n < 2:
        return np.nan
    spread = w[rows] @ (y[rows] - w[rows] @ y[rows] / size) ** 2 / size * n / (n - 1)
    return float(spread * (1 - n / size) / n)


def total(design: Design, variable: str, by: str | None = None, confidence: float = 0.95) -> pd.DataFrame:
    """Return the population total of a numeric column, sum(w y), overall or per level of `by`.

    Rows without a value add nothing, so a total with `n_missing` above 0 is too small unless weights were adjusted for
    them; with no value at all it is missing, not 0. Columns as `mean`, with `df` of the whole design.
    """
    y = numbers(design, variable)

    def one(inside: np.ndarray) -> dict:
        rows = inside & ~np.isnan(y)
        influence = np.where(rows, np.nan_to_num(y), 0.0 if rows.any() else np.nan)
        se = _se(design, influence)
        row = _t_row(design, np.ones(len(y), dtype=bool), float(design.weight @ influence), se, confidence)
        w = design.weight
        effect = se**2 / (_srs_variance(w, influence, np.ones(len(y), dtype=bool)) * w.sum() ** 2 or np.nan)
        return {
            **row,
            "n": int(rows.sum()),
            "n_missing": int((inside & np.isnan(y)).sum()),
            "design_effect": effect,
        }

    return _per_domain(design, by, one)


def ratio(
    design: Design, numerator: str, denominator: str, by: str | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Return sum(w y) / sum(w x), for instance vacancies per job, overall or per level of `by`.

    Only rows with both values count. Columns as `mean`, without `design_effect`. A denominator that sums to 0 gives a
    missing estimate.
    """
    y, x = numbers(design, numerator), numbers(design, denominator)

    def one(inside: np.ndarray) -> dict:
        rows = inside & ~np.isnan(y) & ~np.isnan(x)
        w, top, bottom = design.weight * rows, np.nan_to_num(y), np.nan_to_num(x)
        base = w @ bottom
        value = float(w @ top / base) if base else np.nan
        influence = rows * (top - value * bottom) / base if base else np.full(len(w), np.nan)
        row = _t_row(design, rows, value, _se(design, influence), confidence)
        return {**row, "n_missing": int((inside & ~rows).sum())}

    return _per_domain(design, by, one)


def difference(
    design: Design, variable: str, by: str, first: object, second: object, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the mean of `variable` where `by` is `first`, minus that where it is `second`, and a t test of no difference.

    The covariance of the two domains is kept, so it also serves groups that share clusters. One row: `estimate`, `se`,
    `ci_low`, `ci_high`, `df` (the design's - 1), `n`, `t`, `p`. Raises SectorbookError for a level without answers.
    """
    y, group = numbers(design, variable), column(design.frame, by)
    values, influences = [], []
    for level in (first, second):
        rows = (group == level).fillna(False).to_numpy(dtype=bool) & ~np.isnan(y)
        if not rows.any():
            raise unknown(
                f"level of {by} with answers to {variable}", str(level), map(str, group.dropna().unique())
            )
        value, influence = _weighted_mean(design.weight * rows, np.nan_to_num(y), rows)
        values.append(value)
        influences.append(influence)
    estimate, se = values[0] - values[1], _se(design, influences[0] - influences[1])
    used = ((influences[0] != 0) | (influences[1] != 0)).sum()
    df = degrees_of_freedom(design) - 1
    half = stats.t.ppf((1 + confidence) / 2, df) * se
    t = estimate / se if se else np.nan
    row = {"estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half, "df": df}
    return pd.DataFrame([{**row, "n": int(used), "t": t, "p": 2 * stats.t.sf(abs(t), df)}])
