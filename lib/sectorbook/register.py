"""What the outcome chapters set beside an initiative's files: the forms others ask for, and the numbers they published."""

from functools import cache

import pandas as pd

from sectorbook import config
from sectorbook.config.shapes import Form
from sectorbook.errors import unknown
from sectorbook.provenance import Sidecar


@cache
def layouts() -> dict[str, Form]:
    """Return the forms of `config/forms.yml`, by name. Raises SectorbookError for one that asks for no indicator there is."""
    found = config.entries(Form, "forms.yml")
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

    Beside its keys: `source_ids` as text; `published_label`, `published_value` (as text), `published_unit`,
    `published_kind`, `published_sources` and `published_note`, as a table shows them; and `seed`: it stands in a source
    document.
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
        source_ids=sources,
        dollar_year=frame["dollar_year"].astype("Int64"),
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
