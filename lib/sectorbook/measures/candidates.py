"""The table of candidate sectors that `sector_choice` ranks: each criterion from the data at hand, with its bounds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.measures import occupations as jobs
from sectorbook.measures import pathways, sector_choice, staffing, suppression

# Government is no sector an initiative picks, and OEWS counts little of agriculture.
NOT_CANDIDATES = ("11", "99")
ENTRY_ZONE = 3  # O*NET: job zones 1 to 3 need up to medium preparation (an associate degree or less)
PROJECTED = ["occupation_code", "employment_base", "openings_annual", "base_year", "projected_year"]
SCORED_BY_PEOPLE = [name for name, c in sector_choice.CRITERIA.items() if c.given_by == "people"]
SCORES = (0.0, 2.0, 4.0)  # lowest, middle and highest score that people give


@dataclass(frozen=True)
class Candidates:
    """Candidates (rows, by title) and criteria (columns): values, bounds where a value has them, and their codes."""

    values: pd.DataFrame
    lower: pd.DataFrame
    upper: pd.DataFrame
    industries: pd.Series

    def table(self) -> pd.DataFrame:
        """Return the values with the candidates as the column `industry_title`."""
        return self.values.rename_axis("industry_title").reset_index()


def _sector(code: str) -> str:
    """Return the QCEW sector of an OEWS sector: "62--63" is "62", "31--34" is "31-33"."""
    return suppression.SECTOR_OF_TWO_DIGITS.get(code[:2], code[:2])


def _regional(occupations: pd.DataFrame, patterns: pd.DataFrame, industries: pd.Series) -> pd.DataFrame:
    """Return the region's published detailed jobs, occupations x sectors, spread as the nation's are."""
    nation, _ = staffing.patterns(patterns, {code: (code,) for code in industries})
    everyone, _ = staffing.patterns(patterns, {"all": tuple(staffing.sectors(patterns).industry_code)})
    here = occupations[occupations.occupation_level == 3].set_index("occupation_code").employment
    share = nation.div(everyone["all"].where(everyone["all"] > 0), axis=0)
    return share.mul(here.reindex(share.index), axis=0).dropna()


def _weighted(by_occupation: pd.Series, regional: pd.DataFrame) -> pd.Series:
    """Return the mean of a figure over a sector's jobs, over the occupations that have it."""
    known = by_occupation.dropna()
    at = regional.index.intersection(known.index)
    return regional.loc[at].mul(known[at], axis=0).sum() / regional.loc[at].sum()


def gather(
    occupations: pd.DataFrame,
    patterns: pd.DataFrame,
    mix: pd.DataFrame,
    quotients: pd.DataFrame,
    changes: pd.DataFrame,
    zones: pd.DataFrame,
    projected: pd.DataFrame,
    wage_threshold_annual_usd: float,
    ladder_length: pd.Series,
    scores: pd.DataFrame,
) -> Candidates:
    """Return the candidate sectors of a region with every criterion the data give for all of them.

        `mix` is `staffing.sector_mix`; `quotients` and `changes` are those of `measures.industry`; `zones` (O*NET's), `projected`
        (`PROJECTED`, the nation's projections), `ladder_length` (`ladder_lengths`) and `scores` (the initiative's own: industry,
        criterion, score 0 to 4) may be empty, as those two may: then their criteria are left out.

        * concentration: location quotient from employers' records, private sector, else estimated from occupations;
        * growth_pct and competitive_shift: from employers' records, with the bounds suppressed cells leave;
        * pay_above_threshold_pct: share of the sector's jobs here, by occupation, that pay the threshold; bounds from the
          published percentiles alone, the value in their middle;
        * accessible_pct: share of its jobs in O*NET job zones 1 to 3;
        * openings: a year, its jobs here times the nation's projected openings per job of the occupation. Assumes that an
          occupation's openings here keep the nation's rate.
    * ladder_length: moves up that can follow one another from an entry job of the sector;
    * the criteria people score: their scores. A candidate nobody scored on a criterion that others are scored on can have any:
      it stands in the middle, with the whole scale as bounds.

    pay_above_threshold_pct, accessible_pct and openings spread the region's published occupations over sectors as the
    nation's are.
    """
    kept = mix[[_sector(c) not in NOT_CANDIDATES for c in mix.industry_code]].set_index("industry_title")
    sector = kept.industry_code.map(_sector)
    values, low, high = {}, {}, {}

    def take(name: str, value: pd.Series, lower: pd.Series, upper: pd.Series) -> None:
        if value.reindex(kept.index).notna().all():
            values[name], low[name], high[name] = (s.reindex(kept.index) for s in (value, lower, upper))

    def counted(frame: pd.DataFrame, column: str) -> pd.Series:
        by_code = frame.xs("5", level="own_code")[column]
        return pd.Series(by_code.reindex(sector).to_numpy(), index=kept.index)

    if quotients.empty:
        take("concentration", kept.location_quotient, kept.location_quotient_low, kept.location_quotient_high)
    else:
        ends = (f"location_quotient{end}" for end in ("", "_low", "_high"))
        take("concentration", *(counted(quotients, name) for name in ends))
    if not changes.empty:
        start, start_low, start_high, end, end_low, end_high = (
            counted(changes, f"employment_{when}{side}")
            for when in ("start", "end")
            for side in ("", "_lower", "_upper")
        )
        take(
            "growth_pct",
            100 * (end / start - 1),
            100 * (end_low / start_high - 1),
            100 * (end_high / start_low - 1),
        )
        shifts = (f"competitive_shift{end}" for end in ("", "_lower", "_upper"))
        take("competitive_shift", *(counted(changes, name) for name in shifts))
    regional = _regional(occupations, patterns, kept.industry_code)
    name_of = kept.reset_index().set_index("industry_code").industry_title
    reach = jobs.share_at_or_above(occupations, wage_threshold_annual_usd).set_index(
        occupations.occupation_code
    )
    ends = [_weighted(reach[c], regional).rename(name_of) for c in ("at_least_low_pct", "at_least_high_pct")]
    take("pay_above_threshold_pct", (ends[0] + ends[1]) / 2, *ends)
    if not zones.empty:
        entry = pathways.job_zones(zones, list(regional.index)).le(ENTRY_ZONE).astype(float) * 100
        exact = _weighted(entry, regional).rename(name_of)
        take("accessible_pct", exact, exact, exact)
    if not projected.empty:
        rows = (
            projected[projected.employment_base > 0]
            .drop_duplicates("occupation_code")
            .set_index("occupation_code")
        )
        exact = _weighted(rows.openings_annual / rows.employment_base, regional) * regional.sum()
        take("openings", *[exact.rename(name_of)] * 3)
    if not ladder_length.empty:
        take("ladder_length", *[ladder_length.rename(name_of)] * 3)
    for criterion, given in scores.groupby("criterion"):
        score = given.set_index("industry").score.astype(float).reindex(sector).to_numpy()
        ends = (np.where(np.isnan(score), end, score) for end in SCORES)
        lowest, middle, highest = (pd.Series(end, index=kept.index) for end in ends)
        if not np.isnan(score).all():
            take(str(criterion), middle, lowest, highest)
    order = [name for name in sector_choice.CRITERIA if name in values]
    frames = [pd.DataFrame(part)[order] for part in (values, low, high)]
    nudged = frames[1].clip(upper=frames[0]), frames[2].clip(lower=frames[0])
    return Candidates(frames[0], *nudged, kept.industry_code)


def ladder_lengths(
    occupations: pd.DataFrame, nation: pd.DataFrame, patterns: pd.DataFrame, mix: pd.DataFrame,
    zones: pd.DataFrame, related: pd.DataFrame, skills: pd.DataFrame, education: pd.DataFrame,
) -> pd.Series:  # fmt: skip
    """Return how long the ladders of each sector are (`pathways.climb`), by industry code; empty without O*NET.

    Entry jobs pay under the median of all jobs of the region. `zones`, `related`, `skills` and `education` are O*NET's.
    """
    if zones.empty or related.empty:
        return pd.Series(dtype=float)
    detailed = occupations[occupations.occupation_level == staffing.DETAILED]
    codes = list(detailed.occupation_code)
    zone_of = pathways.job_zones(zones, codes)
    study, alike = pathways.study_months(education, codes), pathways.skill_similarity(skills, codes)
    moves = pathways.feasible_moves(detailed, zone_of, related, alike, study)
    median = jobs.median_wage(occupations)
    found = {}
    for code in mix.industry_code:
        own = jobs.sector_occupations(occupations, nation, patterns, (code,))
        found[code] = pathways.climb(pathways.sector_nodes(own, zone_of, moves), moves, median)
    return pd.Series(found, dtype=float)


def ranking(found: Candidates, seed: int, draws: int) -> pd.DataFrame:
    """Return the candidates ranked: rank and score with equal weights, how often first or in the first three when weights and
    unsure values are drawn, and the two axes. Best first; no rows where fewer than two criteria or candidates are there."""
    if found.values.shape[1] < 2 or len(found.values) < 2:
        return pd.DataFrame(
            columns=["industry_title", "industry_code", "rank", "score", "first_pct", "top3_pct"]
        )
    ranked = sector_choice.rank_sectors(found.values)
    stable = sector_choice.rank_stability(found.values, seed, found.lower, found.upper, draws=draws)
    axes = {sector_choice.CRITERIA[name].axis for name in found.values}
    both = sector_choice.two_axes(found.values) if len(axes) == 2 else pd.DataFrame(index=ranked.index)
    joined = ranked.join(stable).join(both).assign(industry_code=found.industries)
    return joined.rename_axis("industry_title").reset_index()


def rests_on(found: Candidates) -> list[str]:
    """Return the criteria without which another candidate would come first."""
    if found.values.shape[1] < 2:
        return []
    ranks = sector_choice.rank_without_each(found.values)
    leader = ranks["all"].idxmin()
    return [name for name in found.values if ranks[name].idxmin() != leader and ranks.loc[leader, name] > 1]


def rests_words(found: Candidates) -> str:
    """Return `rests_on` as a sentence."""
    names = [name.replace("_", " ").removesuffix(" pct") for name in rests_on(found)]
    if not names:
        return "Leaving out any one criterion keeps the first place."
    return f"The first place rests on {', '.join(names)}: leave out one of these, and another comes first."


def criteria_table(found: Candidates) -> pd.DataFrame:
    """Return every criterion: its axis, what it means, and whether data here give it, could, or people must."""
    rows = []
    for name, criterion in sector_choice.CRITERIA.items():
        given = "used here" if name in found.values else (
            "data, not here yet" if criterion.given_by == "data" else "people's scores, not given"
        )  # fmt: skip
        words = name.removesuffix("_pct").replace("_", " ")
        rows.append(
            {"criterion": words, "axis": criterion.axis.replace("_", " "), "meaning": criterion.meaning,
             "given_by": given}
        )  # fmt: skip
    return pd.DataFrame(rows)


def place(ranked: pd.DataFrame, industries: tuple[str, ...]) -> pd.Series:
    """Return the row of the candidate that holds a sector's industries; missing values where none does."""
    if len(ranked):
        found = ranked[staffing.holds(ranked.industry_code, industries)]
        if len(found):
            return found.iloc[0]
    return pd.Series(dict.fromkeys([*ranked.columns, "rank", "first_pct", "top3_pct"], np.nan))
