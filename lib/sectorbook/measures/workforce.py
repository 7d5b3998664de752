"""Who is here: workers by survey, completers against openings, providers, and how much of a needs assessment data answer."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.measures import demand
from sectorbook.measures import occupations as jobs

PROFILE = [
    "area_fips", "profile_variable", "profile_label", "estimate", "estimate_status", "estimate_moe", "estimate_moe_status",
]  # fmt: skip
LISTED = ["provider_name", "program_id", "state", "county_name"]
INSTITUTIONS = ["unit_id", "institution_name", "county_fips"]

# What is read of the ACS profiles: our words, and the publisher's section, universe and line as they stand in its labels (2022).
LINES = (
    ("Looking for work", "EMPLOYMENT STATUS", "Population 16 years and over", "Unemployed"),
    ("In the labor force", "EMPLOYMENT STATUS", "Population 16 years and over", "In labor force"),
    ("High school or more", "EDUCATIONAL ATTAINMENT", "Population 25 years and over", "High school graduate or higher"),
    ("Bachelor's degree or more", "EDUCATIONAL ATTAINMENT", "Population 25 years and over", "Bachelor's degree or higher"),
    ("Speak English less than very well", "LANGUAGE SPOKEN AT HOME", "Population 5 years and over",
     'Speak English less than "very well"'),
    ("Hispanic or Latino", "HISPANIC OR LATINO AND RACE", "Total population", "Hispanic or Latino (of any race)"),
    ("With a disability", "DISABILITY STATUS OF THE CIVILIAN NONINSTITUTIONALIZED POPULATION",
     "Total Civilian Noninstitutionalized Population", "With a disability"),
    ("Drive to work alone", "COMMUTING TO WORK", "Workers 16 years and over", "Car, truck, or van -- drove alone"),
    ("Use public transportation", "COMMUTING TO WORK", "Workers 16 years and over", "Public transportation (excluding taxicab)"),
    ("Work from home", "COMMUTING TO WORK", "Workers 16 years and over", "Worked from home"),
)  # fmt: skip


def _moe_of_share(part: float, whole: float, part_moe: float, whole_moe: float) -> float:
    """Return the margin of error of part / whole: sqrt(MOE(x)^2 - p^2 MOE(y)^2) / y, a plus where the root fails."""
    share = part / whole
    inner = part_moe**2 - share**2 * whole_moe**2
    return float(np.sqrt(inner if inner >= 0 else part_moe**2 + share**2 * whole_moe**2) / whole)


def profile(rows: pd.DataFrame) -> pd.DataFrame:
    """Return who lives in a region, from the ACS profiles of its counties, each with its margin of error at 90 percent.

    `rows` has the columns `PROFILE`, the region's counties. Counties are added; the margin of a sum is the root of the summed
    squares, and that of a share follows (Census Bureau, Understanding and Using ACS Data, 2020, chapter 8). A controlled
    estimate has no sampling error. A line that any county does not publish is left out. Columns: who, estimate,
    estimate_moe (people), percent, percent_moe (of the line's universe). No rows where nothing matches.
    """
    known = rows.assign(
        estimate_moe=rows.estimate_moe.where(rows.estimate_moe_status.ne("controlled"), 0.0),
        label=rows.profile_label.fillna(""),
    )
    counties = known.area_fips.nunique()

    def total(section: str, universe: str, line: str) -> tuple[float, float] | None:
        labels = known.label.str.startswith(f"{section}: {universe}") & known.label.str.endswith(line)
        variable = known.loc[labels, "profile_variable"].min() if labels.any() else None
        found = known[known.profile_variable == variable]
        if (
            variable is None
            or len(found) < counties
            or found[["estimate", "estimate_moe"]].isna().any(axis=None)
        ):
            return None
        return float(found.estimate.sum()), float(np.sqrt((found.estimate_moe**2).sum()))

    out = []
    for who, section, universe, line in LINES:
        part, whole = total(section, universe, line), total(section, universe, universe)
        if part and whole and whole[0] > 0:
            share_moe = 100 * _moe_of_share(part[0], whole[0], part[1], whole[1])
            out.append((who, *part, 100 * part[0] / whole[0], share_moe))
    found = pd.DataFrame(out, columns=["who", "estimate", "estimate_moe", "percent", "percent_moe"])
    return found.assign(
        percent_low=found.percent - found.percent_moe, percent_high=found.percent + found.percent_moe
    )


# -- the jobs people hold here ----------------------------------------------------------------------------


def held(occupations: pd.DataFrame, nation: pd.DataFrame) -> pd.DataFrame:
    """Return the region's jobs by occupation group beside the nation's shares, largest first, with the groups' wages.

    Both are OEWS occupations. Columns: occupation_group, employment, share_pct, us_share_pct, and the region's wage columns.
    """
    titles = jobs.group_titles(nation)
    total, us_total = (
        f.loc[f.occupation_code.eq("00-0000"), "employment"].iloc[0] for f in (occupations, nation)
    )
    groups = occupations[occupations.occupation_code.isin(titles) & occupations.employment.notna()]
    us = nation.set_index("occupation_code").employment
    return groups.assign(
        occupation_group=groups.occupation_code.map(titles),
        share_pct=100 * groups.employment / total,
        us_share_pct=100 * groups.occupation_code.map(us) / us_total,
        wage_annual_p50_us_usd=groups.occupation_code.map(
            nation.set_index("occupation_code").wage_annual_p50_usd
        ),
    ).sort_values("employment", ascending=False, ignore_index=True)


# -- completers and openings ------------------------------------------------------------------------------

COMPLETIONS = ["unit_id", "cip_code", "major_number", "award_level", "awards"]


def completers(completions: pd.DataFrame, links: pd.DataFrame, units: Sequence[str]) -> pd.DataFrame:
    """Return the completers each occupation can draw on in a year, as a range, from a region's institutions.

    `completions` are awards by institution, program (CIP) and major; `links` the CIP-SOC crosswalk (cip_code, soc_code), many to
    many; `units` the institutions in the region. Only first majors count: a second is the same graduate. A program that
    leads to several occupations cannot be split by any data: completers_low counts the programs that lead to this
    occupation alone, completers_high all that lead to it. The highs must not be added up over occupations.
    """
    own = completions[completions.unit_id.isin(units) & completions.major_number.eq(1)]
    by_program = own.groupby("cip_code").awards.sum()
    pairs = links[links.cip_code.isin(by_program.index)].drop_duplicates(["cip_code", "soc_code"])
    leads_to = pairs.groupby("cip_code").soc_code.transform("nunique")
    awards = pairs.cip_code.map(by_program)
    parts = pairs.assign(completers_low=awards.where(leads_to == 1, 0), completers_high=awards)
    return parts.groupby("soc_code")[["completers_low", "completers_high"]].sum()


def gaps(
    main: pd.DataFrame, projected: pd.DataFrame, supply: pd.DataFrame, programs: pd.DataFrame
) -> pd.DataFrame:
    """Return openings a year beside completers and listed programs for a sector's main occupations.

    `main` are `occupations.sector_occupations`; `projected` the nation's projections; `supply` is `completers`; `programs` the
    listed programs' occupations (program_id, soc_code). Openings are `demand.openings`. NaN where a source is not
    here or has no such occupation ("no match": the sources may use different editions of the SOC). education_entry is the
    nation's typical entry.
    """
    counted = programs.groupby("soc_code").program_id.nunique() if len(programs) else pd.Series(dtype=float)
    found = demand.openings(main, projected).assign(
        programs=main.occupation_code.map(counted).astype(float).fillna(0) if len(programs) else np.nan,
    )
    for side in ("low", "high"):
        column = f"completers_{side}"
        found[column] = (
            found.occupation_code.map(supply[column]).astype(float).fillna(0) if len(supply) else np.nan
        )
    return found


def listed_here(programs: pd.DataFrame, region_name: str, county_names: Sequence[str]) -> pd.DataFrame:
    """Return the programs of a training provider list whose campus is in the region's state and counties.

    The state is read from the area's name ("Columbus, OH").
    """
    states = region_name.rpartition(", ")[2].split("-")
    return programs[programs.state.isin(states) & programs.county_name.isin(list(county_names))]


def leading_to(completions: pd.DataFrame, links: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """Return the completions of programs that lead to any of the occupations `wanted` (SOC codes)."""
    return completions[completions.cip_code.isin(links.cip_code[links.soc_code.isin(list(wanted))])]


def providers(
    listed: pd.DataFrame,
    links: pd.DataFrame,
    institutions: pd.DataFrame,
    completions: pd.DataFrame,
    wanted: Sequence[str],
) -> pd.DataFrame:
    """Return who trains for a sector's occupations here: provider_name, programs on the list, awards a year.

    `listed` are the region's listed programs and `links` their occupations; `institutions` the region's, and `completions`
    those of programs that lead to the sector's occupations (`leading_to`); `wanted` the sector's SOC codes. Providers are
    told apart by name, so one that the two sources name differently stands twice.
    """
    relevant = listed[listed.program_id.isin(links.program_id[links.soc_code.isin(list(wanted))])]
    by_list = relevant.groupby("provider_name").program_id.nunique().astype(float).rename("programs")
    own = completions[completions.major_number.eq(1)].merge(institutions, on="unit_id")
    by_awards = own.groupby("institution_name").awards.sum().astype(float).rename("awards")
    both = pd.concat([by_list, by_awards], axis=1).rename_axis("provider_name").reset_index()
    return both.sort_values(["awards", "programs"], ascending=False)


# -- evidence ---------------------------------------------------------------------------------------------

STANDING = {"here": "data here", "fetch": "data, not fetched", "ask": "to be asked"}


def coverage(checklist: pd.DataFrame, present: Sequence[str], local: Sequence[str]) -> pd.DataFrame:
    """Return each item of the checklists B08 to B12 with what answers it, and how that stands.

    `checklist` is the framework "evidence"; `present` the tables that are here for the region, `local` the local files that are
    filled in. Columns: checklist, item, answered_from, standing (here, fetch or ask), given_by (the same in words). An item is
    here when every table it needs is.
    """
    rows = []
    for item in checklist.itertuples():
        kind, _, rest = item.note.partition(" ")
        listed, _, questions = rest.partition(": ")
        names = [name.strip() for name in listed.split(",")]
        if kind == "data":
            standing = "here" if set(names) <= set(present) else "fetch"
        elif kind == "local":
            standing = "here" if set(names) <= set(local) else "ask"
        else:
            standing = "ask"
        asked = f", questions {questions}" if questions else " (local file)"
        source = f"{', '.join(names)}{asked}" if kind == "local" else rest if kind == "data" else item.note
        rows.append((item.group, item.label, source, standing, STANDING[standing]))
    return pd.DataFrame(rows, columns=["checklist", "item", "answered_from", "standing", "given_by"])


def coverage_counts(covered: pd.DataFrame) -> pd.DataFrame:
    """Return how many items of each checklist stand how: checklist, one column for each standing, in the checklists' order."""
    counts = pd.crosstab(covered.checklist, covered.standing).reindex(
        index=covered.checklist.unique(), columns=list(STANDING), fill_value=0
    )
    return (
        counts.rename(columns=STANDING)
        .rename_axis("checklist", axis=0)
        .rename_axis(None, axis=1)
        .reset_index()
    )


def filled(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that have any value: one whose source is not here is left out, not shown as not published."""
    return [column for column in columns if frame[column].notna().any()]


def needed(checklist: pd.DataFrame) -> list[str]:
    """Return the tables that the checklists are bound to."""
    notes = checklist.note[checklist.note.str.startswith("data ")].str.removeprefix("data ")
    return sorted({name.strip() for note in notes for name in note.split(",")})


def line(who: pd.DataFrame, name: str) -> pd.Series:
    """Return one row of `profile`; missing values where it is not there."""
    found = who[who.who == name]
    return found.iloc[0] if len(found) else pd.Series(np.nan, index=who.columns)


def sector_groups(
    occupations: pd.DataFrame, nation: pd.DataFrame, staffing: pd.DataFrame, industries: tuple[str, ...]
) -> list[str]:
    """Return the occupation groups that hold a tenth or more of a sector's jobs in the nation."""
    titles = jobs.group_titles(nation)
    rows = jobs.sector_occupations(occupations, nation, staffing, industries)
    shares = rows.groupby(rows.occupation_code.str[:2] + "-0000").sector_pattern_pct.sum()
    return [titles[code] for code in shares.index[shares >= 10] if code in titles]
