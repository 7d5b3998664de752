"""A run as the person at the terminal sees it: progress, failures, a summary table, an exit code."""

from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from sectorbook import chapters, paths, receipts, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.report import book, html
from sectorbook.runner import plan, series
from sectorbook.runner.execute import Outcome
from sectorbook.runner.plan import Task


def build_report(slug: str) -> str:
    """Build a region's report and pages; return where it stands, or why there is none."""
    try:
        target = html.write(book.gather(slug))
        html.write_chapters(slug)
    except SectorbookError as error:
        return f"no report: {error}"
    return paths.shown(target)


def run(
    region_texts: list[str], sector: str | None, chapter_text: str | None, jobs: int, given: dict[str, Any]
) -> int:
    """Run a series and return its exit code: 0 when every chapter succeeded, 1 when any failed.

    Raises SectorbookError, before anything runs, for an unknown region, sector, chapter or parameter.
    """
    regions = list(dict.fromkeys(warehouse.find_region(text) for text in region_texts))
    tasks = plan.make(regions, chapters.select(chapter_text), given, sector)
    console = Console(stderr=True)
    todo = [task for task in tasks if task.reason]
    reports: dict[str, str] = {}
    if todo:
        series.require_writable()

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not todo) as progress:
        bar = progress.add_task("starting", total=len(todo), failed=0)
        failed = 0

        def listen(task: Task, outcome: Outcome | None) -> None:
            nonlocal failed
            if outcome is None:
                progress.update(bar, description=f"{task.region.slug} {task.chapter.name}")
                return
            if outcome.error:
                failed += 1
                where = f"cell {outcome.cell}" if outcome.cell is not None else "the run"
                progress.console.print(
                    f"[bold]{task.region.slug}, {task.chapter.name}, {where}:[/bold] ",
                    end="",
                    highlight=False,
                )
                progress.console.print(outcome.error, markup=False, highlight=False)
            progress.update(bar, advance=1, failed=failed)

        def closed(slug: str, said: str | None) -> None:
            reports[slug] = (
                said or "no report: the process that built it was ended. Build it with: sectorbook report"
            )

        series.run(
            tasks,
            jobs,
            listen,
            lambda slug: None,
            closing=f"{__name__}:{build_report.__name__}",
            closed=closed,
        )
    for region in regions:
        if region.slug not in reports:
            target = paths.reports(region.slug, "report.html")
            reports[region.slug] = paths.shown(target) if target.exists() else build_report(region.slug)
    _summary(regions, tasks, reports)
    return 1 if any(entry == "failed" for region in regions for entry in _statuses(region, tasks)) else 0


def _statuses(region: warehouse.Region, tasks: list[Task]) -> list[str]:
    """Return the status of each of the region's tasks in its receipt."""
    entries = receipts.read(region.slug).get("chapters", {})
    own = [task.chapter.name for task in tasks if task.region == region]
    return [entries.get(name, {}).get("status", "not run") for name in own]


def _summary(regions: list[warehouse.Region], tasks: list[Task], reports: dict[str, str]) -> None:
    """Print one line a region: chapters run now, unchanged and failed; then where each report is."""
    table = Table("Region", box=None)
    for heading in ("Run", "Unchanged", "Failed"):
        table.add_column(heading, justify="right")
    for region in regions:
        own = [task for task in tasks if task.region == region]
        ran = sum(bool(task.reason) for task in own)
        bad = _statuses(region, tasks).count("failed")
        table.add_row(region.name, str(ran), str(len(own) - ran), str(bad))
    console = Console()
    console.print(table)
    for region in regions:
        console.print(reports[region.slug], soft_wrap=True, markup=False, highlight=False)
