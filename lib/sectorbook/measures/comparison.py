"""A region among its peers, and definitions side by side."""

from dataclasses import dataclass

import pandas as pd

KINDS = {
    "nation": "nations",
    "state": "states and territories",
    "metropolitan": "metropolitan areas",
    "nonmetropolitan": "nonmetropolitan areas",
}


def side_by_side(items: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return one row per item and, for each document, whether it names the item.

    `items` has label and sources (ids such as "A03"; the letter is the document); `columns` maps a document's
    letter to its column. Columns: characteristic, then those of `columns`, holding "yes" or "".
    """
    table = pd.DataFrame({"characteristic": items.label})
    for document, column in columns.items():
        table[column] = ["yes" if any(s[0] == document for s in sources) else "" for sources in items.sources]
    return table


def named_by(items: pd.DataFrame, documents: list[str]) -> int:
    """Return how many items every one of the documents names; a document is the first letter of an id."""
    return sum(set(documents) <= {source[0] for source in sources} for sources in items.sources)


def comparable(areas: pd.DataFrame, area_code: str) -> pd.DataFrame:
    """Return the areas of the same kind as the given one, with it."""
    kind = areas.loc[areas.area_code == area_code, "area_type"].iloc[0]
    return areas[areas.area_type == kind].reset_index(drop=True)


@dataclass(frozen=True)
class Place:
    """Where an area stands among others: its figures, and the percentage of the others that are below."""

    employment: float
    employment_pct: float | None
    wage: float
    wage_pct: float | None
    kind: str


def place(peers: pd.DataFrame, area_code: str) -> Place:
    """Return an area's place among its peers by jobs and by median annual wage; no place without other peers."""
    here = peers[peers.area_code == area_code].iloc[0]
    others = peers[peers.area_code != area_code]

    def below(column: str) -> float | None:
        published = others[column].dropna()
        return (
            100 * float((published < here[column]).mean())
            if len(published) and pd.notna(here[column])
            else None
        )

    return Place(
        employment=here.employment,
        employment_pct=below("employment"),
        wage=here.wage_annual_p50_usd,
        wage_pct=below("wage_annual_p50_usd"),
        kind=KINDS[here.area_type],
    )
