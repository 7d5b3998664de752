"""A region's report pack: one edition written in each format asked for. A format's libraries load when it is asked."""

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from sectorbook import paths
from sectorbook.errors import SectorbookError, unknown
from sectorbook.report import book, edition, forms
from sectorbook.report.brand import Brand
from sectorbook.report.edition import Edition

FORMATS = ("html", "pdf", "docx", "xlsx")
USUAL = ("leaders", "en")


def formats(text: str) -> list[str]:
    """Return the formats that `text` names, with commas ("html,pdf"), each once and in its order."""
    chosen = [part.strip().lower() for part in text.split(",") if part.strip()]
    for part in chosen:
        if part not in FORMATS:
            raise unknown("format", part, FORMATS)
    if not chosen:
        raise SectorbookError(f"No format is given. Valid: {', '.join(FORMATS)}.")
    return list(dict.fromkeys(chosen))


def render(made: Edition, form: str) -> bytes:
    """Return an edition in one of `FORMATS`. The same edition gives the same bytes."""
    content = import_module(f"sectorbook.report.{form}").render(made)
    return content.encode("utf-8") if isinstance(content, str) else content


def rendered(made: Edition, chosen: list[str]) -> list[bytes]:
    """Return an edition in each of the `chosen` formats, in their order.

    A PDF is set by Typst, outside Python: with other formats it is set beside them, on a core of its own.
    """
    if "pdf" not in chosen or len(chosen) == 1:
        return [render(made, ending) for ending in chosen]
    with ThreadPoolExecutor(max_workers=1) as beside:
        pdf = beside.submit(render, made, "pdf")
        others = {ending: render(made, ending) for ending in chosen if ending != "pdf"}
        return [pdf.result() if ending == "pdf" else others[ending] for ending in chosen]


def name(audience: str, code: str) -> str:
    """Return a pack's file name without its ending: "report", or with the audience and language where not usual."""
    return "-".join(
        ["report", *(part for part, usual in zip((audience, code), USUAL, strict=True) if part != usual)]
    )


def write(
    region_slug: str,
    chosen: list[str],
    audience: str = "leaders",
    code: str = "en",
    brand: Brand | None = None,
    form: str | None = None,
    employer: str | None = None,
    room: bool = False,
) -> list[Path]:
    """Write a region's report in the `chosen` formats and return the files, from saved findings alone.

    With `form`, one of `forms.names()`, that form is written in place of the report, under its name. With `employer`, a code
    in the initiative's files, the business value report of that one employer is written among the local files.
    With `room` the report quotes the answers teams gave in a workshop. Nothing is written unless every format can be made.
    """
    if employer is not None:
        told = import_module("sectorbook.report.employer").gather(region_slug, employer)
    else:
        told = forms.gather(region_slug, form) if form else book.gather(region_slug, room)
    made = edition.make(told, audience, code, brand)
    stem = name(audience, code) if form is None else name(audience, code).replace("report", f"form-{form}", 1)
    written = []
    for ending, content in zip(chosen, rendered(made, chosen), strict=True):
        target = paths.reports(region_slug, f"{stem}.{ending}")
        if employer is not None:
            target = import_module("sectorbook.report.employer").target(region_slug, employer, ending)
        with paths.write_atomic(target, "wb") as file:
            file.write(content)
        written.append(target)
    return written
