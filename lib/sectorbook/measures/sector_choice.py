"""Which sector to pick: candidates against visible criteria, and how far the answer hangs on weights and on data.

A table of candidates has one row per sector and one column per criterion, numbers in the criterion's own unit. Some
criteria are computed, some are scores that local people give; `CRITERIA` says which, and a table may use any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown

REGION, WORKERS = "benefit_to_region", "opportunity_for_workers"


@dataclass(frozen=True)
class Criterion:
    """One reason to pick a sector: its axis, which way is better, where its value comes from, and what it means."""

    axis: Literal["benefit_to_region", "opportunity_for_workers"]
    better: Literal["higher", "lower"]
    given_by: Literal["data", "people"]
    meaning: str


CRITERIA = {
    "concentration": Criterion(REGION, "higher", "data", "location quotient of the sector"),
    "growth_pct": Criterion(REGION, "higher", "data", "change of employment over the period, percent"),
    "competitive_shift": Criterion(REGION, "higher", "data", "jobs gained beyond the nation's growth of the same industries"),
    "employer_issue": Criterion(REGION, "higher", "people", "an issue employers share and would come to the table for, 0 to 4"),
    "funding": Criterion(REGION, "higher", "people", "money within reach, 0 to 4"),
    "existing_relationships": Criterion(REGION, "higher", "people", "ties and know-how of the lead organization, 0 to 4"),
    "openings": Criterion(WORKERS, "higher", "data", "openings a year in the sector's occupations"),
    "pay_above_threshold_pct": Criterion(WORKERS, "higher", "data", "jobs that pay the chosen threshold, percent"),
    "accessible_pct": Criterion(WORKERS, "higher", "data", "jobs in job zones 1 to 3, percent"),
    "ladder_length": Criterion(WORKERS, "higher", "data", "moves up that can follow one another from an entry job"),
    "job_quality": Criterion(WORKERS, "higher", "people", "room to influence and improve jobs, 0 to 4"),
    "worker_interest": Criterion(WORKERS, "higher", "people", "fit with the workers the initiative serves, 0 to 4"),
}  # fmt: skip


def scaled(values: pd.DataFrame) -> pd.DataFrame:
    """Put each criterion on 0 (the least good candidate) to 1 (the best), so that weights compare like with like.

    `values` is a table of candidates with columns from `CRITERIA`. A criterion on which all are equal is 0.5 for all:
    it cannot tell them apart. The scale depends on who is in the table; a new candidate may move it. Raises
    SectorbookError on an unknown criterion, a missing value, or fewer than two candidates.
    """
    table = _checked(values)
    return pd.DataFrame(
        _scale(table.to_numpy()[None], _signs(table))[0], index=table.index, columns=table.columns
    )


def rank_sectors(values: pd.DataFrame, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Rank candidates by the weighted mean of their scaled criteria.

    `weights` gives a number of at least 0 for each criterion (equal if None); only their proportions count. Returns
    score (0 to 1) and rank (1 the best; equals share the better rank), best first.
    """
    table = scaled(values)
    score = table @ _weights(table, weights)
    ranked = pd.DataFrame({"score": score, "rank": score.rank(ascending=False, method="min").astype(int)})
    return ranked.sort_values("score", ascending=False, kind="stable")


def rank_stability(
    values: pd.DataFrame,
    seed: int,
    lower: pd.DataFrame | None = None,
    upper: pd.DataFrame | None = None,
    weights: Mapping[str, float] | None = None,
    firmness: float = 1.0,
    draws: int = 10_000,
    level: float = 0.9,
) -> pd.DataFrame:
    """How often each candidate comes first when weights, and values that are not sure, are drawn again and again.

    Weights come from a Dirichlet distribution. Without `weights` every set of weights is as likely as any other (all
    parameters 1). With them the distribution is centred on them, with parameters firmness * n * weight over the n
    criteria: 1 is vague, 10 stays close; `firmness` needs `weights`. A value with bounds in `lower` and `upper` (same
    tables; NaN where there are none) is drawn from a triangular distribution between them that peaks at the value;
    one without is fixed. Criteria are scaled anew in each draw. This is stochastic multicriteria acceptability
    analysis (Lahdelma, Hokkanen and Salminen 1998, European Journal of Operational Research 106:137-143).

    Returns, first_pct descending: first_pct and top3_pct (share of draws), first_standard_error_pct (of the simulation),
    rank_median, and rank_lower and rank_upper, the ranks between which a share `level` of the draws lies. Raises
    SectorbookError as `scaled` does, and on bounds that do not enclose their value.
    """
    table = _checked(values)
    if draws < 100:
        raise SectorbookError(f"draws must be at least 100; got {draws}.")
    if not 0 < level < 1:
        raise SectorbookError(f"level must lie between 0 and 1, for example 0.9; got {level}.")
    if firmness <= 0 or (firmness != 1 and weights is None):
        raise SectorbookError(
            "firmness must be above 0 and says how closely draws keep to `weights`: give both."
        )
    rng = np.random.default_rng(seed)
    n = table.shape[1]
    centre = np.full(n, 1 / n) if weights is None else _weights(table, weights).to_numpy()
    used = centre > 0
    weight = np.zeros((draws, n))
    weight[:, used] = rng.dirichlet(firmness * n * centre[used], draws)
    drawn = np.broadcast_to(table.to_numpy(), (draws, *table.shape)).copy()
    low, high = _bounds(table, lower, upper)
    for row, column in np.argwhere(high > low):
        ends = low[row, column], table.iat[row, column], high[row, column]
        drawn[:, row, column] = rng.triangular(*ends, draws)
    score = np.einsum("dsc,dc->ds", _scale(drawn, _signs(table)), weight)
    rank = 1 + (score[:, None, :] > score[:, :, None]).sum(axis=2)
    first = (rank == 1).mean(axis=0)
    ends = np.quantile(rank, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0, method="inverted_cdf")
    found = pd.DataFrame(
        {
            "first_pct": 100 * first,
            "first_standard_error_pct": 100 * np.sqrt(first * (1 - first) / draws),
            "top3_pct": 100 * (rank <= 3).mean(axis=0),
            "rank_lower": ends[0].astype(int),
            "rank_median": ends[1].astype(int),
            "rank_upper": ends[2].astype(int),
        },
        index=table.index,
    )
    return found.sort_values("first_pct", ascending=False, kind="stable")


def rank_without_each(values: pd.DataFrame, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Each candidate's rank when one criterion is left out: one column per criterion, and `all` with every one.

    A first place that falls with one column rests on that criterion. Needs at least two criteria.
    """
    table = _checked(values)
    if table.shape[1] < 2:
        raise SectorbookError("Leaving one criterion out needs at least two.")
    given = _weights(table, weights)
    ranks = {"all": rank_sectors(table, given.to_dict())["rank"]}
    for left_out in table.columns:
        rest = given.drop(left_out)
        if rest.sum() == 0:
            raise SectorbookError(
                f"All weight lies on {left_out!r}: nothing ranks the candidates without it."
            )
        ranks[left_out] = rank_sectors(table.drop(columns=left_out), rest.to_dict())["rank"]
    return pd.DataFrame(ranks).loc[table.index]


def two_axes(values: pd.DataFrame, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Benefit to the region against opportunity for its workers, each the weighted mean of its scaled criteria (0 to 1).

    Returns benefit_to_region and opportunity_for_workers by candidate. Raises SectorbookError where an axis has no
    criterion, or none with weight.
    """
    table = scaled(values)
    given = _weights(table, weights)
    axes = {}
    for axis in (REGION, WORKERS):
        on_axis = [name for name in table.columns if CRITERIA[name].axis == axis and given[name] > 0]
        if not on_axis:
            raise SectorbookError(f"No criterion with weight on the axis {axis}: add one.")
        axes[axis] = table[on_axis] @ (given[on_axis] / given[on_axis].sum())
    return pd.DataFrame(axes)


def _checked(values: pd.DataFrame) -> pd.DataFrame:
    for name in values.columns:
        if name not in CRITERIA:
            raise unknown("criterion", str(name), CRITERIA)
    if len(values) < 2 or values.shape[1] == 0:
        raise SectorbookError(
            f"Choosing needs two candidates and a criterion; got {len(values)} and {values.shape[1]}."
        )
    if values.index.has_duplicates or values.columns.has_duplicates:
        raise SectorbookError("Each candidate and each criterion may stand in the table once.")
    table = values.apply(pd.to_numeric, errors="coerce").astype(float)
    gap = ~np.isfinite(table)
    if gap.any(axis=None):
        row, column = np.argwhere(gap.to_numpy())[0]
        raise SectorbookError(
            f"{table.columns[column]} of {table.index[row]!r} is {values.iat[row, column]}, not a number. Fill it in, give "
            "its estimate with bounds, or leave the criterion out for all candidates."
        )
    return table


def _weights(table: pd.DataFrame, weights: Mapping[str, float] | None) -> pd.Series:
    if weights is None:
        return pd.Series(1 / table.shape[1], index=table.columns)
    for name in weights:
        if name not in table:
            raise unknown("criterion in weights", str(name), table.columns)
    absent = [name for name in table if name not in weights]
    if absent:
        raise SectorbookError(
            f"weights lacks {absent[0]!r}: give every criterion a number, 0 to leave it out."
        )
    given = pd.Series(dict(weights), dtype=float)[list(table)]
    if not (given >= 0).all() or given.sum() == 0:
        raise SectorbookError(f"weights must be numbers of at least 0, not all 0: {dict(weights)}.")
    return given / given.sum()


def _bounds(
    table: pd.DataFrame, lower: pd.DataFrame | None, upper: pd.DataFrame | None
) -> tuple[np.ndarray, np.ndarray]:
    if (lower is None) != (upper is None):
        raise SectorbookError("Give both lower and upper, or neither.")
    if lower is None or upper is None:
        return table.to_numpy(), table.to_numpy()
    ends = []
    for name, given in (("lower", lower), ("upper", upper)):
        for column in given.columns:
            if column not in table:
                raise unknown(f"criterion in {name}", str(column), table.columns)
        ends.append(given.reindex(index=table.index, columns=table.columns).astype(float).fillna(table))
    outside = (ends[0] > table) | (ends[1] < table)
    if outside.any(axis=None):
        row, column = np.argwhere(outside.to_numpy())[0]
        raise SectorbookError(
            f"{table.columns[column]} of {table.index[row]!r} is {table.iat[row, column]:g}, outside its bounds "
            f"{ends[0].iat[row, column]:g} to {ends[1].iat[row, column]:g}."
        )
    return ends[0].to_numpy(), ends[1].to_numpy()


def _signs(table: pd.DataFrame) -> np.ndarray:
    return np.array([1.0 if CRITERIA[name].better == "higher" else -1.0 for name in table.columns])


def _scale(values: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Scale (draws, sectors, criteria) to 0..1 over the sectors."""
    signed = values * signs
    least, most = signed.min(axis=1, keepdims=True), signed.max(axis=1, keepdims=True)
    return np.divide(signed - least, most - least, out=np.full(signed.shape, 0.5), where=most > least)
