"""Regions and sectors as a report names them, and the rules of their names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sectorbook.errors import SectorbookError

DEFAULT_SECTOR = "healthcare"


@dataclass(frozen=True)
class Region:
    """A labour-market region: its slug (a name for files and commands), area code, name and kind."""

    slug: str
    code: str
    name: str
    kind: str
    employment: float
    sector: str = DEFAULT_SECTOR

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sector:
    """A sector of a report: its slug, name, NAICS codes, and the OEWS industries that carry its staffing."""

    slug: str
    name: str
    naics: tuple[str, ...]
    industries: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return self.name


def slug(text: str) -> str:
    """Return `text` in lower case with a hyphen for every run of other characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def city_and_state(name: str) -> tuple[str, str]:
    """Return the first city and first state of a metropolitan area's name."""
    cities, _, states = name.rpartition(", ")
    return re.split(r"-|/", cities)[0], states.split("-")[0]


def check_overlap(name: str, industries: Iterable[str]) -> None:
    """Raise SectorbookError when one industry lies inside another: its jobs would count twice."""
    stems = sorted({code.rstrip("0") if code.isdigit() else code[:2] for code in industries}, key=len)
    for i, inner in enumerate(stems):
        for outer in stems[:i]:
            if inner.startswith(outer):
                raise SectorbookError(
                    f"Sector {name!r}: {inner} lies inside {outer}; its jobs would count twice."
                )
