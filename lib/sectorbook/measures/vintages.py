"""Bridging a change of the industry classification: which codes mean the same before and after, and which groups do.

A code of two editions of NAICS means the same when every industry under it went to industries under it, and nothing else
came in. Where it does not, the smallest group of codes of its level that exchange industries only among themselves does: jobs
summed over such a group can be compared. What a split industry sends where is not published, so nothing is prorated.
"""

from collections.abc import Iterable

import networkx as nx
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.change import naics_vintage
from sectorbook.measures.suppression import SECTOR_OF_TWO_DIGITS

CONCORDANCE = ["naics_code", "naics_vintage", "next_naics_code", "next_naics_vintage"]


def lacking(concordance: pd.DataFrame, first_year: int, last_year: int) -> list[int]:
    """Return the editions between two years to which no concordance is here; none where the edition is the same."""
    editions = sorted({naics_vintage(year) for year in range(first_year, last_year + 1)})
    here = set(concordance.next_naics_vintage.astype(int))
    return [new for new in editions[1:] if new not in here]


def steps(concordance: pd.DataFrame, first_year: int, last_year: int) -> list[pd.DataFrame]:
    """Return the concordances between two years, one for each change of edition; none where the edition is the same.

    `concordance` has the columns `CONCORDANCE`. Raises SectorbookError where a change of edition has none.
    """
    if absent := lacking(concordance, first_year, last_year):
        raise SectorbookError(
            f"{first_year} is NAICS {naics_vintage(first_year)} and {last_year} is NAICS {naics_vintage(last_year)}, and the "
            f"concordance to {absent[0]} is not here. Fetch it with: sectorbook fetch concordances --year {absent[0]}"
        )
    editions = sorted({naics_vintage(year) for year in range(first_year, last_year + 1)})
    return [concordance[concordance.next_naics_vintage.astype(int).eq(new)] for new in editions[1:]]


def at_level(codes: pd.Series, digits: int) -> pd.Series:
    """Return six-digit codes at a level: their first `digits`, or at 2 digits the sector ("31-33")."""
    short = codes.str[:digits]
    return short.replace(SECTOR_OF_TWO_DIGITS) if digits == 2 else short


def groups(concordance: pd.DataFrame, first_year: int, last_year: int, digits: int) -> pd.Series:
    """Return the group of codes in which each code of a level can be compared between two years.

    A group is named by its codes with "+" between them, in order; a code that means the same in both years is a group of its
    own. The groups are the connected parts (networkx) of the codes that exchange industries. Index: the codes of `digits`
    (2 to 6) digits of either edition. Raises SectorbookError as `steps` does.
    """
    graph = nx.Graph()
    for step in steps(concordance, first_year, last_year):
        pairs = zip(at_level(step.naics_code, digits), at_level(step.next_naics_code, digits), strict=True)
        graph.add_edges_from(pairs)
    found = {code: "+".join(sorted(part)) for part in nx.connected_components(graph) for code in part}
    return pd.Series(found, dtype="str").sort_index()


def unchanged(concordance: pd.DataFrame, first_year: int, last_year: int) -> set[str]:
    """Return the codes of every level that mean the same in both years, for `change.shift_share_dynamic`."""
    found: set[str] = set()
    for digits in range(2, 7):
        of = groups(concordance, first_year, last_year, digits)
        found |= set(of.index[of == of.index])
    return found


def bridged(changes: pd.DataFrame, group_of: pd.Series, summed: Iterable[str]) -> pd.DataFrame:
    """Return changes by sector with those that exchanged industries put together, so that each row compares like with like.

    `changes` are rows of `industry.sector_change` (index own_code and industry_code); `group_of` is `groups` of sectors; the
    columns `summed` are added up. Only the private sector is put together: government has rows of its own, by owner. Titles of
    a group are joined; is_estimated holds where it does for any part. Adds parts, the number of sectors in the row.
    """
    own, code = (changes.index.get_level_values(i) for i in (0, 1))
    named = code.to_series().map(group_of).fillna(code.to_series()).to_numpy()
    key = pd.Series([g if o == "5" else f"{o} {c}" for o, c, g in zip(own, code, named, strict=True)])
    rows = changes.reset_index(drop=True)
    by = rows.groupby(key.to_numpy(), sort=False)
    return (
        by[list(summed)]
        .sum()
        .assign(
            industry_title=by.industry_title.agg(" + ".join),
            is_estimated=by.is_estimated.any(),
            parts=by.size(),
        )
        .sort_values("change", ascending=False)
        .reset_index(drop=True)
    )


PARTS = [
    "employment_start",
    "employment_end",
    "national_growth",
    "industry_mix",
    "competitive_shift",
    "change",
]


def over_the_break(changes: pd.DataFrame, concordance: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Return `bridged` sector changes where the classification changed between two years and the concordances are here.

    No rows otherwise: then years of one edition need no bridge, and `why_none` says what is missing.
    """
    same = changes.empty or naics_vintage(first) == naics_vintage(last)
    if same or lacking(concordance, first, last):
        return pd.DataFrame(columns=["industry_title", "is_estimated", "parts", *PARTS])
    return bridged(changes, groups(concordance, first, last, 2), PARTS)


def why_none(changes: pd.DataFrame, concordance: pd.DataFrame, first: int | None, last: int | None) -> str:
    """Return why no bridge is shown, as a sentence."""
    if changes.empty or first is None or last is None:
        return "There is no change to bridge: it needs the count of two years."
    editions = naics_vintage(first), naics_vintage(last)
    if editions[0] == editions[1]:
        return "Both years use one edition of the industry classification, so nothing needs to be bridged."
    wanted = " ".join(f"--year {year}" for year in lacking(concordance, first, last))
    return (
        "The concordances of the classification, which tell which sectors exchanged industries, are not here. To get them: "
        f"sectorbook fetch concordances {wanted}, then sectorbook build concordances."
    )
