"""Weights for those who did not answer and for known totals: classes, post-stratification, raking, calibration.

Deville and Särndal (1992), JASA 87:376-382. Totals that the weights are made to reproduce have no variance left; the
variance of other estimates is that of their residuals, as in R's `survey`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.survey import Calibration, Design, column

Distance = Literal["linear", "raking", "logit"]


def nonresponse_weights(
    sample: pd.DataFrame, weight: str, answered: str, classes: Sequence[str]
) -> pd.DataFrame:
    """Return the respondents with weights raised to stand for those of their class who did not answer.

    `sample` has one row per employer drawn, `answered` a truth value. Within each combination of `classes` a weight is
    multiplied by sum of weights drawn / sum of weights that answered. Returns the rows that answered with `weight_base`
    (as given) and `weight` raised. Raises SectorbookError for a class nobody answered in, or a row without a class.
    """
    for name in (weight, answered, *classes):
        missing = column(sample, name).isna()
        if missing.any():
            raise SectorbookError(
                f"Row {sample.index[missing][0]!r}, column {name!r}: found nothing; it is needed."
            )
    said = sample[answered].astype(bool)
    keys = [sample[name] for name in classes]
    drawn = sample[weight].groupby(keys).sum()
    responding = (
        sample.loc[said, weight].groupby([key[said] for key in keys]).sum().reindex(drawn.index, fill_value=0)
    )
    empty = drawn.index[responding == 0]
    if len(empty):
        raise SectorbookError(f"Nobody answered in {_named(classes, empty)}; merge it with another class.")
    factor = sample[weight].groupby(keys).transform("sum") / sample[weight].where(said, 0).groupby(
        keys
    ).transform("sum")
    raised = sample.assign(weight_base=sample[weight])
    raised[weight] = sample[weight] * factor
    return raised[said]


def _named(columns: Sequence[str], cells: pd.Index) -> str:
    rows = [cell if isinstance(cell, tuple) else (cell,) for cell in cells]
    return "; ".join(", ".join(f"{c} = {v}" for c, v in zip(columns, row, strict=True)) for row in rows)


def response_rates(
    sample: pd.DataFrame, answered: str, by: str | None = None, weight: str | None = None
) -> pd.DataFrame:
    """Return `drawn`, `answered` and `response_rate` of a sample, overall or per level of `by`, weighted when asked."""
    said = column(sample, answered).astype(bool)
    size = pd.Series(1.0, sample.index) if weight is None else column(sample, weight)
    key = pd.Series("all", sample.index, name="group") if by is None else column(sample, by)
    table = pd.DataFrame(
        {
            "drawn": said.groupby(key).size(),
            "answered": said.groupby(key).sum(),
            "response_rate": (size * said).groupby(key).sum() / size.groupby(key).sum(),
        }
    )
    return table.reset_index()


def post_stratify(design: Design, counts: pd.DataFrame, count: str = "population") -> Design:
    """Return the design with weights that add up to known counts in each cell.

    `counts`: one row per cell, the columns of the cell and the `count`. Raises SectorbookError for a cell of the sample
    without a count, or a cell with a count where nobody answered.
    """
    columns = [c for c in counts if c != count]
    cells = pd.MultiIndex.from_frame(pd.DataFrame({c: column(design.frame, c) for c in columns}))
    known = counts.set_index(columns)[count]
    known.index = pd.MultiIndex.from_frame(counts[columns])
    lost = cells.unique().difference(known.index)
    if len(lost):
        raise SectorbookError(f"The population counts have no row for {_named(columns, lost)}.")
    empty = known.index[known > 0].difference(cells)
    if len(empty):
        raise SectorbookError(f"Nobody answered in {_named(columns, empty)}; merge it with another cell.")
    code, unique = pd.factorize(cells)
    sums = np.bincount(code, design.weight)
    weight = design.weight * (known.reindex(unique).to_numpy(dtype=float) / sums)[code]
    return _calibrated(design, np.eye(len(unique))[code], np.ones(len(weight)), weight)


def _calibrated(
    design: Design, auxiliaries: np.ndarray, regression_weight: np.ndarray, weight: np.ndarray
) -> Design:
    step = Calibration(auxiliaries, regression_weight, weight)
    return replace(design, weight=weight, calibrations=(*design.calibrations, step))


def _dummies(design: Design, name: str, totals: Mapping) -> tuple[np.ndarray, np.ndarray]:
    values = column(design.frame, name)
    for level in values.unique():
        if level not in totals:
            raise SectorbookError(f"Margin {name!r}: {unknown('level', str(level), map(str, totals))}")
    levels = list(totals)
    empty = [level for level in levels if totals[level] > 0 and not (values == level).any()]
    if empty:
        raise SectorbookError(
            f"Margin {name!r}: nobody answered in {', '.join(map(str, empty))}; merge it with another level."
        )
    return (values.to_numpy()[:, None] == np.array(levels, dtype=object)).astype(float), np.array(
        [*totals.values()], dtype=float
    )


def rake(
    design: Design, margins: Mapping[str, Mapping], tolerance: float = 1e-9, iterations: int = 200
) -> Design:
    """Return the design with weights fitted in turn to each margin's known counts until all agree.

    `margins`: column -> {level: count}. It stops when no cell of a margin moves by more than `tolerance` times the
    population. Raises SectorbookError when margins add up to different populations, a level has no respondent or no
    count, or the fit does not settle within `iterations`.
    """
    columns = {name: _dummies(design, name, totals) for name, totals in margins.items()}
    sums = {name: totals.sum() for name, (_, totals) in columns.items()}
    if max(sums.values()) - min(sums.values()) > tolerance * max(sums.values()):
        listed = ", ".join(f"{name} {known:,.10g}" for name, known in sums.items())
        raise SectorbookError(f"The margins add up to different populations: {listed}.")
    weight = design.weight
    for _ in range(iterations):
        moved = 0.0
        for x, totals in columns.values():
            at = weight @ x
            moved = max(moved, np.abs(at - totals).max())
            weight = weight * (x @ np.where(at > 0, totals / np.where(at > 0, at, 1), 0.0))
        if moved <= tolerance * max(sums.values()):
            x = np.hstack([x for x, _ in columns.values()])
            return _calibrated(design, x, np.ones(len(weight)), weight)
    raise SectorbookError(
        f"Raking did not settle in {iterations} rounds; the margins may contradict the cells that answered."
    )


def calibrate(
    design: Design,
    totals: Mapping[str, float | Mapping],
    distance: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    iterations: int = 50,
) -> Design:
    """Return the design with weights that reproduce known totals and change as little as they can.

    `totals`: numeric column -> its population total; text column -> {level: count}. Distance "linear" is the
    generalized regression estimator; "raking" keeps all weights above 0; "logit" keeps each weight between `bounds`
    (below and above 1) times what it was, which the other distances do not take.
    Raises SectorbookError when a linear weight falls to 0 or below (use "raking"), the totals contradict each other or
    cannot be reached, or bounds are missing, out of order or not asked for.
    """
    if distance not in ("linear", "raking", "logit"):
        raise unknown("calibration distance", distance, ("linear", "raking", "logit"))
    if (distance == "logit") != (bounds is not None) or (
        bounds is not None and not 0 <= bounds[0] < 1 < bounds[1]
    ):
        raise SectorbookError(
            f"bounds are {bounds}; distance 'logit', and no other, needs two with 1 between them."
        )
    parts, targets = [], []
    for name, known in totals.items():
        if isinstance(known, Mapping):
            x, total = _dummies(design, name, known)
        else:
            values = column(design.frame, name)
            if values.isna().any():
                row = values.index[values.isna()][0]
                raise SectorbookError(f"Row {row!r}, column {name!r}: found nothing; calibration needs it.")
            x, total = values.to_numpy(dtype=float)[:, None], np.array([known], dtype=float)
        parts.append(x)
        targets.append(total)
    x, target = np.hstack(parts), np.concatenate(targets)
    size = np.maximum(np.abs(x).max(axis=0), np.finfo(float).tiny)
    change = _solve(x / size, target / size, design.weight, distance, bounds, iterations)
    if change.min() <= 0:
        raise SectorbookError(
            f"{(change <= 0).sum()} weights fall to 0 or below. Use distance 'raking', fewer totals, or merge levels."
        )
    return _calibrated(design, x, design.weight, design.weight * change)


# A known total counts as met at this share of it; the fit is quadratic, so the step before was much closer than asked.
_TOTALS_MET = 1e-9


def _solve(
    x: np.ndarray,
    target: np.ndarray,
    base: np.ndarray,
    distance: Distance,
    bounds: tuple[float, float] | None,
    iterations: int,
) -> np.ndarray:
    """Return the factors F(x b) that meet sum(base F x) = target, by Newton's method on b."""
    slope = np.zeros(x.shape[1])
    for _ in range(iterations):
        change, curve = _distance(x @ slope, distance, bounds)
        gap = target - (base * change) @ x
        if np.all(np.abs(gap) <= _TOTALS_MET * np.maximum(np.abs(target), 1)):
            return change
        slope = slope + np.linalg.lstsq(x.T @ (x * (base * curve)[:, None]), gap, rcond=None)[0]
    raise SectorbookError(
        "The calibration did not settle: the known totals contradict each other, or this sample cannot reach them."
    )


def _distance(
    u: np.ndarray, distance: Distance, bounds: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return F(u) and its slope (Deville and Särndal 1992, cases 1, 2 and 6)."""
    if distance == "linear":
        return 1 + u, np.ones_like(u)
    if bounds is None:
        factor = np.exp(np.clip(u, -50, 50))
        return factor, factor
    low, high = bounds
    a = (high - low) / ((1 - low) * (high - 1))
    e = np.exp(np.clip(a * u, -50, 50))
    factor = (low * (high - 1) + high * (1 - low) * e) / ((high - 1) + (1 - low) * e)
    return factor, a * (factor - low) * (high - factor) / (high - low)


def trim_weights(design: Design, lower: float, upper: float, rounds: int = 100) -> Design:
    """Return the design with weights held between `lower` and `upper`, what is cut spread evenly over the others.

    Repeats until none is outside (Potter 1990). The sum of weights stays; calibrated totals no longer hold exactly.
    Raises SectorbookError when the bounds cannot hold the sum of weights.
    """
    weight = design.weight
    if not lower * len(weight) <= weight.sum() <= upper * len(weight):
        raise SectorbookError(
            f"{len(weight)} weights between {lower:g} and {upper:g} cannot add up to {weight.sum():g}."
        )
    free = np.ones(len(weight), dtype=bool)
    for _ in range(rounds):
        held = np.clip(weight, lower, upper)
        outside = held != weight
        if not outside.any():
            return replace(design, weight=weight)
        free &= ~outside
        if not free.any():
            break
        weight = held + free * (weight.sum() - held.sum()) / free.sum()
    raise SectorbookError(f"The weights cannot be held between {lower:g} and {upper:g}; use wider bounds.")


def weight_summary(design: Design) -> pd.Series:
    """Return what the weights cost: smallest, largest, sum, Kish's effective n and design effect.

    Effective n = (sum w)^2 / sum w^2; design effect = n / effective n (Kish 1965).
    """
    w = design.weight
    effective = w.sum() ** 2 / (w @ w)
    return pd.Series(
        {
            "smallest": w.min(),
            "largest": w.max(),
            "sum": w.sum(),
            "effective_n": effective,
            "design_effect": len(w) / effective,
        }
    )
