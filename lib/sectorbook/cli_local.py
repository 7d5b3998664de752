"""The command line's part for an initiative's own instruments and files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from sectorbook.errors import SectorbookError, unknown

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


network = typer.Typer(no_args_is_help=True, help="A partner network made elsewhere.", rich_markup_mode=None)


@network.command("import")
def import_network(
    region: Annotated[str, typer.Argument(help="A region: a slug, a code or a quoted name.")],
    file: Annotated[
        list[Path],
        typer.Argument(
            help="GraphML, GEXF, or a table of ties (CSV, XLSX); one for each wave, in order.",
            metavar="FILE…",
        ),
    ],
    partners: Annotated[
        Path | None, typer.Option(help="A table of partners to go with tables of ties.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="Take names and ties alone, whatever else the file says.")
    ] = False,
) -> None:
    """Write a region's partners.csv and ties.csv from a network made elsewhere. Files that hold rows stay.

    Example: sectorbook network import columbus-oh wave1.graphml wave2.graphml
    """
    from sectorbook import partner_files, paths, warehouse

    found = warehouse.find_region(region)
    listed = None if partners is None else _content(partners)
    networks = [
        partner_files.read_network(_content(path), path.name, listed, partners.name if partners else "")
        for path in file
    ]
    imported = partner_files.import_networks(networks, bare)
    for note in imported.notes:
        typer.echo(f"note: {note.file}" + (f", row {note.row}" if note.row else "") + f": {note.found}")
    for target in partner_files.write(imported, found.slug):
        typer.echo(paths.shown(target))
    typer.echo(
        f"{len(imported.partners)} partners, {len(imported.ties)} ties, {len(networks)} waves. "
        f"Next: sectorbook run {found.slug} --chapters 06"
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SectorbookError(f"{path}: {error.strerror or error}.") from error
