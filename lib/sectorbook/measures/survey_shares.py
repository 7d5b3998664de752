"""Proportions, quantiles and answer tables from a sample, with intervals that hold up when five employers answered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.survey import Design, column, covariance, degrees_of_freedom, mean

Interval = Literal["korn_graubard", "wilson", "logit"]


def proportion(
    design: Design,
    variable: str,
    by: str | None = None,
    interval: Interval = "korn_graubard",
    levels: Sequence[object] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the proportion of each answer to `variable`, overall or per level of `by`.

    Rows without an answer are left out and counted. `levels` sets which answers are listed, in which order (an answer
    that nobody gave is listed with 0); by default those given, sorted.

    Intervals use the effective sample size p(1-p)/var(p), never above n/(1 - n/N):
    "korn_graubard" is Clopper and Pearson's exact interval at that size, with the degrees of freedom of the design
    (Korn and Graubard 1998, Survey Methodology 24:193-201); "wilson" is the score interval at that size with t; "logit"
    is symmetric on the logit scale, and missing at 0 and 1. The first two never leave [0, 1] nor collapse at 0 or 1,
    unless everyone was asked. Returns `level`, `estimate`, `se`, `ci_low`, `ci_high`, `df`, `n`, `n_missing`,
    `count` (rows that gave the answer). Raises SectorbookError for an answer not among `levels`.
    """
    if interval not in ("korn_graubard", "wilson", "logit"):
        raise unknown("interval", interval, ("korn_graubard", "wilson", "logit"))
    values = column(design.frame, variable)
    given = sorted(values.dropna().unique())
    levels = given if levels is None else list(levels)
    for level in given:
        if level not in levels:
            raise unknown(f"answer to {variable}", str(level), map(str, levels))
    parts = []
    for level in levels:
        hit = (values == level).fillna(False).astype(float).where(values.notna())
        table = _one_share(design, hit, by, interval, confidence)
        parts.append(table.assign(level=level))
    out = pd.concat(parts, ignore_index=True)
    first = ["level"] if by is None else [by, "level"]
    if by is not None:
        out = out.sort_values(by, kind="stable", ignore_index=True)
    return out[first + [c for c in out if c not in first]]


def _one_share(
    design: Design, hit: pd.Series, by: str | None, interval: Interval, confidence: float
) -> pd.DataFrame:
    """Return the share of rows where `hit` is 1 among those where it is not missing, with its interval."""
    name = "__hit"
    with_hit = replace(design, frame=design.frame.assign(**{name: hit}))
    table = mean(with_hit, name, by, confidence).drop(columns="design_effect")
    table["estimate"] = table["estimate"].clip(0, 1)  # two sums of the same weights may round apart
    corrected = not np.isnan(design.population[0]).any()
    for i, row in table.iterrows():
        inside = (
            hit.notna().to_numpy() if by is None else (hit.notna() & (design.frame[by] == row[by])).to_numpy()
        )
        size = design.weight[inside].sum() if corrected else np.inf
        low, high = share_interval(
            row["estimate"], row["se"], row["n"], row["df"], interval, confidence, size
        )
        table.loc[i, ["ci_low", "ci_high"]] = low, high
        table.loc[i, "count"] = hit[inside].sum()
    return table.astype({"count": int})


def share_interval(
    share: float, se: float, n: int, df: int, interval: Interval = "korn_graubard", confidence: float = 0.95,
    population: float = np.inf,
) -> tuple[float, float]:  # fmt: skip
    """Return the interval of a proportion from its standard error, sample size and degrees of freedom.

    `population` is the size of the group the n were drawn from; the intervals are those of `proportion`.
    Missing when the share is, or with no degree of freedom.
    """
    if np.isnan(share) or df < 1:
        return np.nan, np.nan
    alpha = 1 - confidence
    t = stats.t.ppf(1 - alpha / 2, df)
    spread = share * (1 - share)
    if interval == "logit":
        if spread == 0:
            return np.nan, np.nan
        center, half = np.log(share / (1 - share)), t * se / spread
        return float(1 / (1 + np.exp(half - center))), float(1 / (1 + np.exp(-half - center)))
    if n >= population:
        return share, share
    most = n / (1 - n / population)
    size = min(spread / se**2, most) if spread > 0 and se > 0 else most
    if interval == "wilson":
        center = (share + t**2 / (2 * size)) / (1 + t**2 / size)
        half = t / (1 + t**2 / size) * np.sqrt(spread / size + t**2 / (4 * size**2))
        low, high = np.clip([center - half, center + half], 0.0, 1.0)
        return float(min(low, share)), float(max(high, share))  # rounding may cross the share at 0 and 1
    size *= (stats.t.ppf(1 - alpha / 2, n - 1) / t) ** 2
    hits, misses = size * share, size * (1 - share)
    low = stats.beta.ppf(alpha / 2, hits, misses + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - alpha / 2, hits + 1, misses) if misses > 0 else 1.0
    return float(low), float(high)


def quantile(
    design: Design, variable: str, share: float, by: str | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Return a quantile of a numeric column (`share` 0.5 is the median), with Woodruff's (1952) interval.

    The quantile is the smallest value at which the weighted distribution reaches `share`. The interval inverts the
    t interval of the weighted distribution at that value; `se` is its width over twice the t quantile. Returns `estimate`, `se`,
    `ci_low`, `ci_high`, `df`, `n`, `n_missing`. Raises SectorbookError for a share outside 0 to 1.
    """
    if not 0 < share < 1:
        raise SectorbookError(f"share is {share}; a quantile needs a share between 0 and 1.")
    values = column(design.frame, variable).astype(float)
    groups = [(None, np.ones(len(values), dtype=bool))]
    if by is not None:
        by_values = column(design.frame, by)
        groups = [(g, (by_values == g).to_numpy()) for g in sorted(by_values.dropna().unique())]
    rows = []
    for group, inside in groups:
        used = inside & values.notna().to_numpy()
        row = {} if by is None else {by: group}
        row |= dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), np.nan)
        df = degrees_of_freedom(design, used) if used.any() else 0
        if used.any():
            y, w = values.to_numpy()[used], design.weight[used]
            row["estimate"] = estimate = _inverse(y, w, share)
            below = (values <= estimate).astype(float).where(used)
            at = _one_share(design, below, None, "wilson", confidence).iloc[0]
            if df > 0:
                t = stats.t.ppf((1 + confidence) / 2, df)
                row["ci_low"] = _inverse(y, w, at["estimate"] - t * at["se"])
                row["ci_high"] = _inverse(y, w, at["estimate"] + t * at["se"])
                row["se"] = (row["ci_high"] - row["ci_low"]) / (2 * t)
        rows.append({**row, "df": df, "n": int(used.sum()), "n_missing": int((inside & ~used).sum())})
    return pd.DataFrame(rows)


# Cumulated weights reach a share exactly in theory; floating-point sums can miss it by a few units in the last place.
_REACHED = 1e-12


def _inverse(y: np.ndarray, w: np.ndarray, share: float) -> float:
    order = np.argsort(y, kind="stable")
    reached = np.cumsum(w[order]) / w.sum()
    return float(y[order][min(np.searchsorted(reached, share - _REACHED), len(y) - 1)])


def independence_test(design: Design, first: str, second: str) -> pd.Series:
    """Return Rao and Scott's test of whether two questions' answers hang together.

    Pearson's statistic divided by the mean design effect of the cells, compared with F (second-order correction; Rao
    and Scott 1984, Annals of Statistics 12:46-60; Thomas and Rao 1987). Rows without one of the answers are left out.
    Returns `f`, `df_numerator`, `df_denominator`, `p`, `pearson` and `n`. Raises SectorbookError when a question has
    fewer than two answers.
    """
    a, b = column(design.frame, first), column(design.frame, second)
    used = (a.notna() & b.notna()).to_numpy()
    (row_code, rows), (column_code, columns) = (
        pd.factorize(a[used], sort=True),
        pd.factorize(b[used], sort=True),
    )
    r, c = len(rows), len(columns)
    for name, count in ((first, r), (second, c)):
        if count < 2:
            raise SectorbookError(
                f"{name!r} has {count} different answers among those who answered both; a test needs 2."
            )
    cells = np.zeros((len(a), r * c))
    cells[np.flatnonzero(used), row_code * c + column_code] = 1
    w = design.weight * used
    p = w @ cells / w.sum()
    n = int(used.sum())
    variance = covariance(design, (cells - p) * used[:, None] / w.sum())
    table = p.reshape(r, c)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    pearson = float(n * ((table - expected) ** 2 / expected).sum())
    # Contrasts of the interaction, free of the main effects.
    row_of, column_of = np.divmod(np.arange(r * c), c)
    dummies = (
        [(row_of == i).astype(float) for i in range(1, r)],
        [(column_of == j).astype(float) for j in range(1, c)],
    )
    main = np.column_stack([np.ones(r * c), *dummies[0], *dummies[1]])
    interaction = np.column_stack([x * y for x in dummies[0] for y in dummies[1]])
    contrast = interaction - main @ np.linalg.lstsq(main, interaction, rcond=None)[0]
    scaled = contrast * np.where(p > 0, 1 / np.where(p > 0, p, 1), 0)[:, None]
    simple = scaled.T @ ((np.diag(p) - np.outer(p, p)) / n) @ scaled
    effects = np.linalg.lstsq(simple, scaled.T @ variance @ scaled, rcond=None)[0]
    trace = np.trace(effects)
    df1 = float(trace**2 / np.trace(effects @ effects))
    df2 = df1 * degrees_of_freedom(design)
    f = pearson / trace
    return pd.Series(
        {
            "f": f,
            "df_numerator": df1,
            "df_denominator": df2,
            "p": stats.f.sf(f, df1, df2),
            "pearson": pearson,
            "n": n,
        }
    )
