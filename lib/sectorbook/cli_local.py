"""The command line's part for an initiative's own instruments and files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from sectorbook.errors import unknown

FORMATS = ("xlsx", "pdf")


def _listed(text: str, what: str, valid: tuple[str, ...]) -> list[str]:
    """Return the entries of a text with commas, each once. Raises SectorbookError for one that is not valid."""
    chosen = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for part in chosen or [""]:
        if part not in valid:
            raise unknown(what, part, valid)
    return chosen


def questionnaire(
    region: Annotated[
        list[str], typer.Argument(help="Regions: a slug, a code or a quoted name each.", metavar="REGION…")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder; each region gets one inside. Default: reports/."),
    ] = None,
    lang: Annotated[
        str, typer.Option(help="en and es, with commas. The form holds both and opens in the first.")
    ] = "en,es",
    formats: Annotated[
        str, typer.Option("--format", help="xlsx, the XLSForm for KoBo and ODK; pdf, to print. With commas.")
    ] = "xlsx,pdf",
    sender: Annotated[
        str, typer.Option(help="Who asks, on the printed page. Default: a line to fill in.")
    ] = "",
    contact: Annotated[
        str, typer.Option(help="Whom to call or write to, on the printed page. Default: a line to fill in.")
    ] = "",
) -> None:
    """Write the employer questionnaire of a region: the form to upload, and the pages to print."""
    from sectorbook import config, paths, warehouse
    from sectorbook.questionnaire import xlsform

    if out is not None:
        os.environ["SECTORBOOK_REPORTS"] = str(out.resolve())
    languages = _listed(lang, "language of the questionnaire", tuple(xlsform.LANGUAGES))
    chosen = _listed(formats, "format", FORMATS)
    form = config.questionnaire("employer")
    for text in region:
        found = warehouse.find_region(text)
        files = {}
        if "xlsx" in chosen:
            files[f"{form.id}.xlsx"] = xlsform.workbook(form, languages[0], found.name)
        if "pdf" in chosen:
            from sectorbook.report import printed

            for code in languages:
                files[f"{form.id}-{code}.pdf"] = printed.pages(form, code, found.name, sender, contact)
        for name, content in files.items():
            target = paths.questionnaire(found.slug, name)
            with paths.write_atomic(target, "wb") as file:
                file.write(content)
            typer.echo(paths.shown(target))
