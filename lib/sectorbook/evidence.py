"""The door of the outcome chapters to an initiative's own files, and to the examples that stand in for them."""

from dataclasses import dataclass

import pandas as pd

from sectorbook import config, demonstration, forms, participants, paths
from sectorbook.errors import unknown
from sectorbook.provenance import Sidecar

SYNTHETIC = (
    "Synthetic example: made by a seeded program, it describes nobody and shows the form of the answer only."
)


@dataclass(frozen=True)
class Evidence:
    """A table, what stands behind it (None when there is nothing), and a sentence that says which of the three it is."""

    frame: pd.DataFrame
    sidecar: Sidecar | None
    standing: str


def table(name: str, region_slug: str, example_region: str, seed: int = 0) -> Evidence:
    """Return a file of `config/outcomes.yml` for a region.

    The region's own file stands first; the synthetic example stands in for it in `example_region` only; any other region
    gets the table without a row, and the sentence says what to fill in. Participants' ids are hashed.
    """
    path = paths.local(region_slug, f"{name}.csv")
    title = forms.title(name)
    if path.exists():
        shown = paths.shown(path)
        own = (
            participants.load(region_slug)
            if name == "participants"
            else forms.read(name, path.read_bytes(), shown)
        )
        return Evidence(
            own, demonstration.own_sidecar(name), f"{title}: {len(own)} rows of the initiative's own file."
        )
    if name == "peers":
        return Evidence(
            _example(name, seed), None, f"{title}: the five initiatives of the source's comparison (B34)."
        )
    if region_slug == example_region:
        return Evidence(_example(name, seed), demonstration.sidecar(name), f"{title}. {SYNTHETIC}")
    columns = ", ".join(c.name for c in config.forms()[name].columns if c.required)
    return Evidence(
        _nothing(name),
        None,
        f"{title}: no file yet. Fill in {paths.shown(path)}, one row for: {config.forms()[name].row} It needs {columns}; "
        "the other columns are described in config/outcomes.yml.",
    )


def _example(name: str, seed: int) -> pd.DataFrame:
    if name == "participants":
        return demonstration.people(seed)
    if name in ("firm_outcomes", "firm_returns"):
        return dict(zip(("firm_outcomes", "firm_returns"), demonstration.firms(seed), strict=True))[name]
    path = paths.config("examples", f"{name}.csv")
    return forms.read(name, path.read_bytes(), paths.shown(path))


def _nothing(name: str) -> pd.DataFrame:
    if name == "participants":
        return demonstration.people(0, 2).iloc[:0]
    return forms.empty(name)


def real() -> Sidecar:
    """Return what stands behind the real data with known answers."""
    return demonstration.real_sidecar()


def register() -> Sidecar:
    """Return what stands behind the numbers others published."""
    return demonstration.published_sidecar()


def supported_work() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the National Supported Work trial, and its participants beside people who were never in it."""
    return demonstration.supported_work(), demonstration.panel_study()


def training_grants() -> pd.DataFrame:
    """Return Michigan firms with and without training grants, 1987–1989."""
    return demonstration.training_grants()


def published() -> pd.DataFrame:
    """Return the numbers others published, one row each (`config/published.yml`), with `source_ids` as text."""
    rows = [{"id": key, **entry.model_dump()} for key, entry in config.published().items()]
    frame = pd.DataFrame(rows)
    frame["source_ids"] = [", ".join(s) for s in frame["source"]]
    return frame


def attrition_boundary() -> pd.DataFrame:
    """Return the What Works Clearinghouse's attrition boundary, one row a per cent of overall attrition."""
    return pd.DataFrame(config.attrition_boundary())


def poverty_guideline(year: int) -> tuple[float, float]:
    """Return the guideline of one person and what each further one adds, USD a year (48 states and D.C.).

    Raises SectorbookError for a year that is not in `config/poverty_guidelines.yml`.
    """
    known = config.poverty_guidelines()
    if str(year) not in known:
        raise unknown("year of the poverty guideline", str(year), known)
    return known[str(year)].one_person_usd, known[str(year)].further_person_usd


COVARIATES = tuple(demonstration.COVARIATES)
