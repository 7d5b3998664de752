"""The commands of `sectorbook workshop`: thin, and with imports where they are used."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="Packs for a workshop: participants, facilitator, and a book to read."
)


@app.command("build")
def build(
    region: Annotated[str, typer.Option(help="The region the exercises are about.")] = "san-francisco",
    sector: Annotated[
        str | None,
        typer.Option(help="A preset of config/sectors.yml, or NAICS codes. Default: the region's."),
    ] = None,
    chapters: Annotated[
        str | None, typer.Option(help="Chapters by number, with commas, as in 03,04. Default: all.")
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of exercises, guides and messages: en or es.")] = "en",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the packs. Default: reports/workshop.")
    ] = None,
) -> None:
    """Build the packs of a workshop: the chapters run once with their solutions, and answers are sealed from that."""
    from sectorbook import paths
    from sectorbook.workshop import build as packs
    from sectorbook.workshop import solve

    made = packs.setting(region, sector, chapters, lang)
    folder = packs.build(made, out)
    if without := solve.lacking(made):
        typer.echo(f"No exercises are written for chapter {', '.join(without)} yet.")
    typer.echo(f"{paths.shown(folder)}: participant, facilitator and book, for {made.region.name}.")
    typer.echo(f"Next, with a network: sectorbook workshop wheelhouse {paths.shown(folder / 'participant')}")


@app.command("wheelhouse")
def wheelhouse(
    pack: Annotated[Path, typer.Argument(help="A participant pack.")],
    system: Annotated[
        str | None,
        typer.Option("--for", help="The laptops' system: linux, mac, mac-intel, windows. Default: this one."),
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="The laptops' Python, as in 3.12. Default: this one.")
    ] = None,
) -> None:
    """Fetch the libraries of a participant pack, so that it starts without a network."""
    from sectorbook import paths
    from sectorbook.workshop import wheelhouse

    files, size = wheelhouse.fetch(pack, system, python)
    typer.echo(f"{paths.shown(pack / 'wheelhouse')}: {files} files, {size / 1e6:,.0f} MB")


@app.command("collect")
def collect(
    region: Annotated[str, typer.Argument(help="The region the answers are about.")],
    pack: Annotated[list[Path], typer.Argument(help="The teams' packs, or folders with their answers.json.")],
) -> None:
    """Put the answers of all teams together in the region's local folder, where a report can quote them."""
    from sectorbook import answers, warehouse

    count = answers.collect(warehouse.find_region(region).slug, pack)
    typer.echo(f"{count} answers. To quote them: sectorbook report {region} --answers")
