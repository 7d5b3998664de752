"""What opens a year in a sector's occupations, and which skills its jobs ask for."""

import numpy as np
import pandas as pd

from sectorbook.measures.occupations import first
from sectorbook.measures.pathways import survey_codes

PROJECTED = [
    "occupation_code", "employment_base", "employment_projected", "openings_annual", "exits_annual", "transfers_annual",
    "education_entry", "work_experience", "training_on_the_job", "base_year", "projected_year",
]  # fmt: skip
SKILLS = ["soc_code", "element_id", "element_name", "scale_id", "onet_value", "onet_se", "onet_suppress"]
PARTS = ("openings_growth", "openings_exits", "openings_transfers")

IMPORTANT = 3.0  # O*NET's scale of importance: 1 not important, 2 somewhat, 3 important, 4 very, 5 extremely
_Z90 = 1.645


def openings(main: pd.DataFrame, projected: pd.DataFrame) -> pd.DataFrame:
    """Return `main` (occupation_code, employment) with the openings a year to expect in the region, in all industries.

    Formula: regional jobs x the nation's openings per job of the base year; likewise for the parts: growth (the projected
    change over the years it takes), labor force exits and occupational transfers (Bureau of Labor Statistics, Employment
    Projections, separations methodology). It assumes that an occupation grows and turns over here as in the nation.
    `projected` has the columns `PROJECTED`, or no rows. Adds openings, openings_growth (below 0 where the occupation shrinks),
    openings_exits, openings_transfers, education_entry, work_experience, training_on_the_job; NaN, and openings_status "no
    match", where the projections do not have the occupation (they may use another edition of the SOC).
    """
    rows = projected.drop_duplicates("occupation_code").set_index("occupation_code")
    base = rows.employment_base.where(rows.employment_base > 0)
    years = rows.projected_year - rows.base_year
    yearly = {
        "openings": rows.openings_annual,
        "openings_growth": (rows.employment_projected - rows.employment_base) / years,
        "openings_exits": rows.exits_annual,
        "openings_transfers": rows.transfers_annual,
    }
    code, found = main.occupation_code, main.copy()
    for name, number in yearly.items():
        found[name] = main.employment * code.map((number / base).astype(float)).astype(float)
    for name in ("education_entry", "work_experience", "training_on_the_job"):
        # Groups of occupations have no entry requirement of their own.
        words = code.map(rows[name].fillna("not given")) if len(rows) else pd.Series(np.nan, index=main.index)
        found[name] = words.fillna("no match") if len(rows) else words
    status = found.openings.isna().map({True: "no match", False: "published"})
    return found.assign(**{f"{name}_status": status for name in yearly})


def total(found: pd.DataFrame, column: str) -> float:
    """Return the sum of a column of `openings` over the occupations that have a projection; NaN where none has."""
    return float(found[column].sum(min_count=1))


def largest_gap(found: pd.DataFrame) -> float:
    """Return the largest difference between an occupation's openings and the sum of their parts, in percent of them.

    The publisher rounds each number to a hundred jobs. NaN where nothing is known.
    """
    gap = (found.openings - found[list(PARTS)].sum(axis=1, min_count=3)).abs() / found.openings
    return float(100 * gap.max())


def skills_demanded(
    sector_jobs: pd.DataFrame, occupations: pd.DataFrame, skills: pd.DataFrame
) -> pd.DataFrame:
    """Return the skills a sector's jobs ask for, most important first: O*NET's importance (1 to 5), weighted by jobs.

    `sector_jobs` has occupation_code and sector_employment; `occupations` the region's detailed OEWS rows; `skills` O*NET's
    (columns `SKILLS`). Formula: sum over occupations of the sector's jobs x importance, over the sum of those jobs. Specialties
    of one occupation are averaged; ratings that O*NET recommends to suppress are left out.

    Columns: skill; importance, importance_low, importance_high (90 percent, from the standard errors of the ratings alone, as
    independent); skill_level (0 to 7); importance_everywhere (all jobs of the region) and importance_difference;
    important_jobs (the sector's jobs in occupations that rate it `IMPORTANT` or more) and important_pct of its rated jobs;
    occupations_rated. No rows where nothing is rated.
    """
    kept = skills[skills.onet_suppress.ne("Y")]
    code = survey_codes(kept.soc_code, list(occupations.occupation_code)).rename("occupation_code")

    def table(scale: str, value: str) -> pd.DataFrame:
        rows = kept[kept.scale_id == scale]
        return rows.pivot_table(value, index=code[rows.index], columns="element_name", aggfunc="mean")

    importance, level, error = (
        table("IM", "onet_value"),
        table("LV", "onet_value"),
        table("IM", "onet_se").fillna(0.0),
    )

    def weights(frame: pd.DataFrame, jobs: str) -> pd.Series:
        counted = frame.set_index("occupation_code")[jobs].reindex(importance.index)
        return counted.fillna(0.0)

    def mean(values: pd.DataFrame, weight: pd.Series) -> pd.Series:
        held = values.reindex(importance.index)
        return held.mul(weight, axis=0).sum() / held.notna().mul(weight, axis=0).sum()

    own = weights(sector_jobs, "sector_employment")
    if importance.empty or own.sum() == 0:
        columns = ["skill", "importance", "importance_low", "importance_high", "skill_level", "importance_everywhere",
                   "importance_difference", "important_jobs", "important_pct", "occupations_rated"]  # fmt: skip
        return pd.DataFrame(columns=columns)
    value, everywhere = mean(importance, own), mean(importance, weights(occupations, "employment"))
    spread = np.sqrt((error.reindex(importance.index).mul(own, axis=0) ** 2).sum()) / own.sum()
    important = importance.ge(IMPORTANT).mul(own, axis=0).sum()
    found = pd.DataFrame(
        {
            "importance": value,
            "importance_low": value - _Z90 * spread,
            "importance_high": value + _Z90 * spread,
            "skill_level": mean(level, own),
            "importance_everywhere": everywhere,
            "importance_difference": value - everywhere,
            "important_jobs": important,
            "important_pct": 100 * important / own.sum(),
            "occupations_rated": int((own > 0).sum()),
        }
    )
    return found.rename_axis("skill").sort_values("importance", ascending=False).reset_index()


def most_apart(wanted: pd.DataFrame) -> pd.Series:
    """Return the row of `skills_demanded`, of the skills that are `IMPORTANT` or more, furthest beyond all jobs here."""
    important = wanted[wanted.importance >= IMPORTANT].sort_values("importance_difference", ascending=False)
    return first(important)


def span(projected: pd.DataFrame) -> str:
    """Return the years that projections span, in words, or "" without any."""
    return (
        f"{projected.base_year.min():.0f} to {projected.projected_year.max():.0f}" if len(projected) else ""
    )
