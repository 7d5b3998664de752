"""The command line: thin, and no traceback for a problem the user can mend."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sectorbook import __version__, cli_local, cli_workshop
from sectorbook.errors import SectorbookError
from sectorbook.report import epoch

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs no rich, and comes in half the time
    help="Run the workbook for a region and build its report.",
)

app.command()(cli_local.questionnaire)
app.add_typer(cli_local.network, name="network")

RegionArguments = Annotated[
    list[str], typer.Argument(help="Regions: a slug, a code or a quoted name each.", metavar="REGION…")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for results; each region gets one inside. Default: reports/."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sectorbook {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Carry a sector initiative from deciding to outcome evaluation, for any US region."""
    epoch.given()  # before numpy reads it, which would end with a traceback


def _use(out: Path | None) -> None:
    if out is not None:
        os.environ["SECTORBOOK_REPORTS"] = str(out.resolve())


def _parameters(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SectorbookError(f"A parameter is given as name=value; found {pair!r}.")
        given[name.strip()] = value.strip()
    return given


SectorOption = Annotated[
    str | None, typer.Option(help="A preset of config/sectors.yml, or NAICS codes with commas.")
]
ChaptersOption = Annotated[
    str | None, typer.Option(help="Chapters by number, with commas, as in 03,04. Default: all.")
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", help="A chapter's parameter, as name=value. Repeatable."),
]


@app.command()
def run(
    region: RegionArguments,
    sector: SectorOption = None,
    chapters: ChaptersOption = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Chapters to run at a time. Default: the cores.")
    ] = None,
    out: OutOption = None,
    parameter: ParameterOption = None,
    timeout: Annotated[
        float | None, typer.Option(min=1, help="Seconds after which a chapter is stopped. Default: never.")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(min=64, help="Megabytes a chapter may take. Default: no limit. Linux only.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what failed.")] = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Say everything as JSON, a line each.")
    ] = False,
    scheduler: Annotated[
        str | None, typer.Option(help="Run on a Dask cluster, as tcp://HOST:8786 or tls://HOST:8786.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Where its workers find files: a shared folder, s3://… Default: they share --out."),
    ] = None,
    tls_ca_file: Annotated[str | None, typer.Option(help="TLS: the authority's certificate (PEM).")] = None,
    tls_cert: Annotated[str | None, typer.Option(help="TLS: this client's certificate (PEM).")] = None,
    tls_key: Annotated[str | None, typer.Option(help="TLS: this client's key (PEM).")] = None,
) -> None:
    """Run chapters for one region or more and build each region's report. Only what changed runs again.

    Ctrl-C finishes the running chapters and stops; Ctrl-C twice stops now. The same command goes on later.
    """
    _use(out)
    if quiet and log_json:
        raise SectorbookError("Give --quiet or --log-json, not both.")
    if scheduler is None and (store or tls_ca_file or tls_cert or tls_key):
        raise SectorbookError("--store and --tls-… belong to --scheduler.")
    from sectorbook.runner import console, far, series

    voice = "quiet" if quiet else "json" if log_json else "live"
    limits = series.Limits(timeout, memory)
    given = _parameters(parameter or [])
    try:
        if store and "://" not in store:
            store = str(Path(store).resolve())
        cluster = far.Cluster(scheduler, store, tls_ca_file, tls_cert, tls_key) if scheduler else None
        code = console.run(region, sector, chapters, jobs, given, limits, voice, cluster)
    except KeyboardInterrupt as stopped:
        typer.echo("sectorbook: stopped. Run the same command again to go on.", err=True)
        raise typer.Exit(130) from stopped
    raise typer.Exit(code)


@app.command()
def plan(
    region: RegionArguments,
    sector: SectorOption = None,
    chapters: ChaptersOption = None,
    out: OutOption = None,
    parameter: ParameterOption = None,
) -> None:
    """Show what a run with the same arguments would do, and why. Nothing is run or written."""
    _use(out)
    from sectorbook.runner import console

    console.show_plan(region, sector, chapters, _parameters(parameter or []))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def warm(context: typer.Context) -> None:
    """Run a command, such as papermill or jupyter, whose Python kernels are forked from one warm parent.

    Example: sectorbook warm papermill --engine sectorbook in.ipynb out.ipynb
    """
    from sectorbook.runner import door

    raise typer.Exit(door.run(context.args))


@app.command()
def report(
    region: RegionArguments,
    out: OutOption = None,
    formats: Annotated[str, typer.Option("--format", help="html, pdf, docx and xlsx, with commas.")] = "html",
    brand: Annotated[
        Path | None, typer.Option(help="A brand file (YAML): name, colours, logo, fonts, disclaimer.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Who reads it: leaders, policy or partners.")] = "leaders",
    lang: Annotated[str, typer.Option(help="Language of headings, labels and numbers: en or es.")] = "en",
    form: Annotated[
        str | None,
        typer.Option(
            help="A form in place of the report: pennsylvania, massachusetts, nga or business-value."
        ),
    ] = None,
    answers: Annotated[
        bool, typer.Option("--answers", help="Quote what teams answered in a workshop, word for word.")
    ] = False,
    employer: Annotated[
        str | None,
        typer.Option(
            help="With --form business-value: one employer's own report, kept among the local files."
        ),
    ] = None,
) -> None:
    """Build reports again from saved findings, without running a chapter."""
    _use(out)
    if employer is not None and form != "business-value":
        raise SectorbookError("--employer goes with --form business-value.")
    from sectorbook import paths, warehouse
    from sectorbook.report import pack

    chosen = pack.formats(formats)
    dress = None
    if brand is not None:
        from sectorbook.report import brand as brands

        dress = brands.load(brand)
    for text in region:
        for target in pack.write(
            warehouse.find_region(text).slug, chosen, audience, lang, dress, form, employer, answers
        ):
            typer.echo(paths.shown(target))


@app.command()
def site(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder of the site; it gets copies of the reports. Default: reports/site."
        ),
    ] = None,
) -> None:
    """Build one static site over all regions that were run: search, compare, sectors, and each region's report."""
    from sectorbook import paths
    from sectorbook.report.site import pages

    written = pages.write(out)
    typer.echo(f"{len(written)} pages. Open {paths.shown(written[0])}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open the chapters in JupyterLab, at the first one. Arguments go to JupyterLab, as in --no-browser."""
    from sectorbook.workshop import lab as own

    raise typer.Exit(own.run(context.args))


app.add_typer(cli_workshop.app, name="workshop")


@app.command()
def regions(
    find: Annotated[
        str, typer.Option(help="Show only regions whose name, slug or code holds this text.")
    ] = "",
) -> None:
    """List regions: slug, code, name and jobs."""
    from rich.console import Console
    from rich.table import Table

    from sectorbook import warehouse

    found = warehouse.search_regions(find)
    if not found:
        warehouse.find_region(find)
    table = Table("Slug", "Code", "Name", "Kind", box=None)
    table.add_column("Jobs", justify="right")
    for entry in found:
        table.add_row(entry.slug, entry.code, entry.name, entry.kind, f"{entry.employment:,.0f}")
    console = Console()
    console.print(table)
    console.print(f"{len(found)} of {len(warehouse.regions())} regions")


@app.command()
def sectors() -> None:
    """List the sector presets: slug, name, NAICS codes and the reason for each."""
    from rich.console import Console
    from rich.table import Table

    from sectorbook import config

    table = Table("Slug", "Name", "NAICS", "Reason", box=None)
    for slug, entry in config.sectors().items():
        table.add_row(slug, entry.name, ", ".join(entry.naics), entry.reason)
    Console().print(table)


@app.command()
def fetch(
    source: Annotated[list[str], typer.Argument(help="Sources, as in qcew.", metavar="SOURCE…")],
    region: Annotated[
        str | None, typer.Option(help="A region: its counties, area or states, as the source has them.")
    ] = None,
    year: Annotated[list[int] | None, typer.Option(help="A year. Repeatable.")] = None,
    quarter: Annotated[int | None, typer.Option(help="A quarter, 1 to 4. Default: the annual files.")] = None,
    state: Annotated[str | None, typer.Option(help="A state, as the source names it: 39 or oh.")] = None,
    release: Annotated[str | None, typer.Option(help="A release, as in 30.0.")] = None,
    period: Annotated[str | None, typer.Option(help="A span of years, as in 2016-2020.")] = None,
    contact: Annotated[
        str | None, typer.Option(help="An e-mail address the publisher's server is told. BLS asks for one.")
    ] = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="Another server, as ADDRESS=MIRROR. Repeatable.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what is here already.")] = False,
) -> None:
    """Fetch publishers' files into data/raw, each with its sidecar. What is here already is not fetched again."""
    from sectorbook import acquisition, paths, retrieval

    plans = acquisition.plans(
        source, region, year=year, quarter=quarter, state=state, release=release, period=period
    )
    made = acquisition.fetch(
        plans, retrieval.Manners(contact=contact), _parameters(mirror or []), refresh, typer.echo
    )
    for sidecar in made:
        typer.echo(f"{paths.shown(paths.raw(sidecar.source, sidecar.edition))}: {sidecar.title}")
    typer.echo(f"Next: {'; '.join(f'sectorbook build {n}' for n in dict.fromkeys(s.source for s in made))}")


@app.command()
def build(
    source: Annotated[str, typer.Argument(help="A source, as in oews.")],
    origin: Annotated[
        Path | None,
        typer.Option(
            "--from", help="The publisher's files: a folder, or one file. Default: what was fetched last."
        ),
    ] = None,
) -> None:
    """Rebuild a source's processed tables from the publisher's files."""
    from sectorbook import warehouse

    made = warehouse.build(source, origin)
    for file in made.files:
        typer.echo(f"{file.name}: {file.rows:,} rows, {file.bytes:,} bytes")


@app.command("new-region")
def new_region(
    slug: Annotated[str, typer.Argument(help="The region's name in commands and files, as in columbus.")],
    area: Annotated[
        str, typer.Option(help="Its area: a code of the OEWS release, as in 18140, or its exact name.")
    ],
) -> None:
    """Make a region's folder with templates for the initiative's own files. Files that are there stay."""
    from sectorbook import paths, warehouse

    region, written = warehouse.new_region(slug, area)
    for path in written:
        typer.echo(paths.shown(path))
    typer.echo(f"{region.name}: fill these in, then: sectorbook check {region.slug}")


def _check_local(text: str) -> int:
    """Show what is on file for one region and every problem of it; return how many there are."""
    from sectorbook import config, paths, warehouse
    from sectorbook.local import origin

    whose = (
        origin.Origin("demonstration", text, text)
        if text == origin.DEMONSTRATION
        else origin.own(warehouse.find_region(text).slug)
    )
    if whose.kind == "none":
        raise SectorbookError(
            f"{paths.shown(whose.folder)} holds no files. Make the templates with: "
            f"sectorbook new-region {whose.region} --area CODE"
        )
    folder = origin.read(whose)
    for row in origin.state(list(config.local()), whose).itertuples():
        typer.echo(
            f"{row.file}: {row.file_state}" + (f", {row.file_rows:,.0f} rows" if row.file_rows > 0 else "")
        )
    for note in sorted(folder.notes, key=lambda n: (n.file, n.row or 0)):
        typer.echo(f"note: {note.file}" + (f", row {note.row}" if note.row else "") + f": {note.found}")
    for problem in sorted(folder.problems, key=lambda p: (p.file, p.row or 0)):
        typer.echo(f"problem: {problem}", err=True)
    typer.echo(f"{paths.shown(whose.folder)}: {len(folder.problems)} problems, {len(folder.notes)} notes.")
    return len(folder.problems)


@app.command()
def check(
    region: Annotated[
        list[str] | None, typer.Argument(help="Regions whose own files to check.", metavar="[REGION…]")
    ] = None,
) -> None:
    """Check the configuration, every chapter, and every data file; with regions, the initiative's own files there."""
    from sectorbook import chapters, config, paths, provenance, warehouse
    from sectorbook.workshop import plans

    if region:
        if sum([_check_local(text) for text in region]):
            raise typer.Exit(1)
        return
    config.regions(), config.sectors(), config.columns(), config.audiences(), config.local()
    for name in config.frameworks():
        config.framework(name)
    for slug in config.sectors():
        warehouse.find_sector(slug)
    if paths.config(plans.AGENDAS).exists():  # a participant pack has none: they hold solutions
        plans.agendas(), [plans.of(chapter.number) for chapter in chapters.discover()]
    count = 0
    sidecars = [
        *paths.processed().glob(f"*/*/{provenance.SIDECAR}"),
        *paths.local("").glob(f"*/{provenance.SIDECAR}"),
    ]
    for sidecar in sorted(sidecars):
        for file in provenance.read_sidecar(sidecar.parent).files:
            provenance.verify(sidecar.parent, file.name)
            count += 1
    typer.echo(
        f"{len(warehouse.regions())} regions, {len(config.sectors())} sectors, {len(chapters.discover())} chapters, "
        f"{count} data files: all in order."
    )


def main() -> None:
    """Run the command line; a SectorbookError becomes one message on standard error and exit code 2."""
    try:
        app(prog_name="sectorbook")
    except SectorbookError as error:
        typer.echo(f"sectorbook: {error}", err=True)
        sys.exit(2)
