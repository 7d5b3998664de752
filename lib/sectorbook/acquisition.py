"""Getting data for a region: which files of which sources, and the words that tell a user how to get them."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from itertools import product

import pandas as pd

from sectorbook import retrieval, sources, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.provenance import Fetch, Sidecar

# What a command gives for an argument of a source's `requests()`.
_OPTIONS = {
    "areas": "--region {region}", "state": "--region {region}", "year": "--year YEAR", "release": "--release RELEASE",
    "period": "--period PERIOD",
}  # fmt: skip


def _takes(name: str) -> Mapping[str, Parameter]:
    module = sources.get(name)
    if not hasattr(module, "requests"):
        raise SectorbookError(
            f"{name} has no one address to fetch from: get the file from its publisher (see the first lines of the source "
            f"module), then: sectorbook build {name} --from PATH"
        )
    return signature(module.requests).parameters


def _states(name: str, region: warehouse.Region) -> list[str]:
    """Return a region's states as the source names them: by code from its counties, or by letters from its name."""
    if getattr(sources.get(name), "STATES_BY_LETTERS", False):
        found = [] if region.kind != "metropolitan" else region.name.rpartition(", ")[2].lower().split("-")
    elif region.kind in ("state", "nonmetropolitan"):
        found = [region.code[:2]]
    else:
        found = sorted({county[:2] for county in warehouse.counties(region)})
    if not found:
        raise SectorbookError(
            f"{name} comes by state, and the states of {region} are not known here: give --state."
        )
    return found


def plans(names: Sequence[str], region: str | None = None, **options: object) -> list[Fetch]:
    """Return what to fetch of these sources: one entry for each release and state.

    `options` are those of the sources' `requests()` (None: not given); `year` may be a list. Each source takes what it
    has a use for. Raises SectorbookError for an option, or a region, that none of them has a use for, and for what
    `sources.plan` refuses.
    """
    given = {key: value for key, value in options.items() if value not in (None, [], ())}
    taken = {name: _takes(name) for name in dict.fromkeys(names)}
    unused = [key for key in given if not any(key in takes for takes in taken.values())]
    if unused:
        raise SectorbookError(f"None of {', '.join(taken)} is fetched by {unused[0]}.")
    if region and not any({"areas", "state"} & set(takes) for takes in taken.values()):
        raise SectorbookError(f"{', '.join(taken)}: one file for the whole country, so no --region.")
    found = []
    for name, takes in taken.items():
        own = {key: value for key, value in given.items() if key in takes}
        years = own.pop("year", [None])
        states = [own.pop("state", None)]
        if region and "areas" in takes:
            own["areas"] = warehouse.area_fips(warehouse.find_region(region))
        elif region and "state" in takes and states == [None]:
            states = _states(name, warehouse.find_region(region))
        every = product(years if isinstance(years, list | tuple) else [years], states)
        found += [sources.plan(name, **own, year=year, state=state) for year, state in every]
    return found


def fetch(
    wanted: Sequence[Fetch],
    manners: retrieval.Manners | None = None,
    mirrors: Mapping[str, str] | None = None,
    refresh: bool = False,
    told: Callable[[str], None] = lambda line: None,
) -> list[Sidecar]:
    """Fetch what `plans` listed, in order, into data/raw; `told` hears one line for each file. Errors: `retrieval.download`."""
    return [
        retrieval.download(f, manners=manners, mirrors=mirrors, refresh=refresh, told=told) for f in wanted
    ]


def how_to_get(table: str, region: warehouse.Region) -> str:
    """Return the commands that bring `table` here for a region, as one line of text."""
    name = warehouse.tables()[table]
    if not hasattr(sources.get(name), "requests"):
        return f"sectorbook build {name} --from PATH, with the file from its publisher"
    takes = _takes(name)
    needed = [
        _OPTIONS[key].format(region=region.slug)
        for key, value in takes.items()
        if key in _OPTIONS and (key == "areas" or value.default is Parameter.empty)
    ]
    first = ""
    if {"areas", "state"} & set(takes) and region.kind == "metropolitan" and not warehouse.counties(region):
        first = "sectorbook fetch delineations, sectorbook build delineations (they tell the counties), then "
    elif "areas" in takes and region.kind == "nonmetropolitan" and not warehouse.counties(region):
        first = f"list the counties of {region.slug} in config/regions.yml, then "
    return f"{first}sectorbook fetch {' '.join([name, *dict.fromkeys(needed)])}, then sectorbook build {name}"


def how_to_know_counties(region: warehouse.Region) -> str:
    """Return, as a sentence, how a user tells which counties a region holds."""
    official = (
        " Or, for the official delineation: sectorbook fetch delineations, then sectorbook build delineations."
        if region.kind == "metropolitan" else ""
    )  # fmt: skip
    return f"List them under counties: for {region.slug} in config/regions.yml.{official}"


def optional(table: str, region: warehouse.Region | None = None, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table as `warehouse.load` does where it is here for the region, else `columns` without rows.

    For a chapter that goes on without it and says what to fetch (`how_to_get`).
    """
    if not warehouse.has(table, region):
        return pd.DataFrame(columns=list(columns))
    return warehouse.load(table, region, columns or None)


# Lists of one state each: they speak for a region only where they are of one of its states.
_OF_A_STATE = ("training_programs", "training_program_occupations")


def _speaks(table: str, region: warehouse.Region) -> bool:
    """Return whether a table that is here says anything of a region's state; lists of the whole nation do."""
    if table not in _OF_A_STATE or region.kind != "metropolitan":
        return True
    states = region.name.rpartition(", ")[2].split("-")
    return bool(warehouse.load("training_programs", columns=["state"]).state.isin(states).any())


def present(wanted: Sequence[str], region: warehouse.Region) -> list[str]:
    """Return which of the tables are here for a region: the sources a chapter may cite."""
    return [table for table in wanted if warehouse.has(table, region) and _speaks(table, region)]


def lacking(wanted: Mapping[str, str], region: warehouse.Region) -> pd.DataFrame:
    """Return the tables that are not here for a region: table, what it would answer (`wanted`), and how to get it."""
    rows = [
        {"missing_table": table, "would_answer": what, "how_to_get": how_to_get(table, region)}
        for table, what in wanted.items()
        if not warehouse.has(table, region)
    ]
    return pd.DataFrame(rows, columns=["missing_table", "would_answer", "how_to_get"])
