"""Participants' outcomes when each person on file stands for several: weighted beside unweighted."""

import numpy as np
import pandas as pd

from sectorbook.measures import survey, survey_shares
from sectorbook.measures.worker_outcomes import AMOUNTS, FEWEST, LEVELS

COLUMNS = [
    "indicator", "statistic", "unweighted", "weighted", "weighted_low", "weighted_high", "effective_n", "n", "behind",
]  # fmt: skip


def weighted(people: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes of `LEVELS` (percent) and the changes of `AMOUNTS` (mean change) without and with weights.

    Columns `COLUMNS`; no rows where nobody has a `weight`. Means sum(w y) / sum(w) with linearized standard errors, each person
    drawn by themselves (`survey.mean`); percents with Korn and Graubard's interval (`survey_shares.proportion`), both at 95
    percent. `effective_n`: Kish's (sum w)^2 / sum w^2. `behind`: people the row tells of; of a percent the smaller of those with
    and those without.
    """
    frame, rows = people[people["weight"].notna()], []
    for name, label in LEVELS.items():
        if frame[name].notna().sum() >= FEWEST:
            design = survey.survey_design(frame, weight="weight")
            found = survey_shares.proportion(design, name, levels=[0.0, 1.0]).iloc[1]
            few = min(found["count"], found["n"] - found["count"])
            scaled = 100 * found[["estimate", "ci_low", "ci_high"]].astype(float)
            rows.append((label, "percent", 100 * frame[name].mean(), *scaled, *_sizes(frame, name), few))
    for first, second, label in AMOUNTS.values():
        change = frame.assign(change=frame[second] - frame[first])
        if change["change"].notna().sum() >= FEWEST:
            found = survey.mean(survey.survey_design(change, weight="weight"), "change").iloc[0]
            sizes = _sizes(change, "change")
            told = found["estimate"], found["ci_low"], found["ci_high"]
            rows.append((label, "mean change", change["change"].mean(), *told, *sizes, sizes[1]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _sizes(frame: pd.DataFrame, column: str) -> tuple[float, int]:
    """Return the effective and the plain number of people for whom a column is known."""
    w = frame.loc[frame[column].notna(), "weight"].to_numpy(dtype=float)
    return float(w.sum() ** 2 / np.square(w).sum()), len(w)
