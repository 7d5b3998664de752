"""A plan and a run as the person at the terminal, or a log, sees them, and the exit code."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from sectorbook import chapters, paths, receipts, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.runner import far, plan, progress, series
from sectorbook.runner.execute import Outcome
from sectorbook.runner.plan import Task

LONG = 40  # more regions than this are counted, not listed


def build_report(slug: str) -> str:
    """Build a region's report and pages; return where it stands, or why there is none."""
    from sectorbook.report import html, pack

    try:
        [target] = pack.write(slug, ["html"])
        html.write_chapters(slug)
    except SectorbookError as error:
        return f"no report: {error}"
    return paths.shown(target)


def _plan(
    region_texts: list[str], sector: str | None, chapter_text: str | None, given: dict[str, Any]
) -> tuple[list[warehouse.Region], list[Task]]:
    regions = list(dict.fromkeys(warehouse.find_region(text) for text in region_texts))
    return regions, plan.make(regions, chapters.select(chapter_text), given, sector)


def show_plan(
    region_texts: list[str], sector: str | None, chapter_text: str | None, given: dict[str, Any]
) -> None:
    """Print what a run with the same arguments would do and why. Raises SectorbookError as `run` does."""
    regions, tasks = _plan(region_texts, sector, chapter_text, given)
    todo = [task for task in tasks if task.reason]
    console = Console()
    if todo and len(regions) <= LONG:
        table = Table("Region", "Chapter", "Why", box=None)
        for task in todo:
            table.add_row(task.region.slug, task.chapter.name, task.reason)
        console.print(table)
    elif todo:
        table = Table("Chapter", "Why", box=None)
        table.add_column("Regions", justify="right")
        for (name, reason), count in sorted(Counter((t.chapter.name, t.reason) for t in todo).items()):
            table.add_row(name, reason, f"{count:,}")
        console.print(table)
    console.print(
        f"{len(regions):,} regions, {len(tasks):,} chapters: {len(todo):,} to run, {len(tasks) - len(todo):,} unchanged."
    )


def run(
    region_texts: list[str],
    sector: str | None,
    chapter_text: str | None,
    jobs: int | None,
    given: dict[str, Any],
    limits: series.Limits | None = None,
    voice: str = "live",
    cluster: far.Cluster | None = None,
) -> int:
    """Run a series and return its exit code: 0 when every chapter succeeded, 1 when any failed.

    Chapters run on this machine, or on the workers of `cluster`.
    `voice` is "live" (progress and a summary), "quiet" (failures only) or "json" (one JSON object a line).
    Raises SectorbookError, before anything runs, for an unknown region, sector, chapter or parameter.
    """
    regions, tasks = _plan(region_texts, sector, chapter_text, given)
    todo = [task for task in tasks if task.reason]
    if todo:
        series.require_writable()
    reports: dict[str, str] = {}

    with progress.VOICES[voice](len(todo)) as teller:

        def closed(slug: str, said: str | None) -> None:
            reports[slug] = said or "no report: the process that built it was ended. Run: sectorbook report"
            teller.report(slug, reports[slug])

        def heard(task: Task, outcome: Outcome | None) -> None:
            teller.started(task) if outcome is None else teller.ended(task, outcome)

        series.run(
            tasks, jobs, heard, lambda slug: None, limits,
            closing=f"{__name__}:{build_report.__name__}", closed=closed, said=teller.remark,
            cluster=cluster,
        )  # fmt: skip
    for region in regions:
        if region.slug not in reports:
            target = paths.reports(region.slug, "report.html")
            reports[region.slug] = paths.shown(target) if target.exists() else build_report(region.slug)
    rows = _rows(regions, tasks)
    teller.total(len(tasks) - len(todo), len(todo), sum(row[3] for row in rows))
    if voice == "live":
        _summary(rows, reports)
    return 1 if any(failed for *_, failed in rows) else 0


def _rows(regions: list[warehouse.Region], tasks: list[Task]) -> list[tuple[warehouse.Region, int, int, int]]:
    """Return for each region how many chapters ran now, were unchanged, and stand as failed or not run."""
    ran: Counter = Counter()
    own: dict[str, list[str]] = {}
    for task in tasks:
        own.setdefault(task.region.slug, []).append(task.chapter.name)
        ran[task.region.slug] += bool(task.reason)
    rows = []
    for region in regions:
        names = own[region.slug]
        failed = 0
        if ran[region.slug]:
            entries = receipts.read(region.slug).get("chapters", {})
            failed = sum(entries.get(name, {}).get("status") != "done" for name in names)
        rows.append((region, ran[region.slug], len(names) - ran[region.slug], failed))
    return rows


def _summary(rows: list[tuple[warehouse.Region, int, int, int]], reports: dict[str, str]) -> None:
    """Print one line a region, then where each report is; of a long series, the totals and what failed."""
    console = Console()
    shown = rows if len(rows) <= LONG else [row for row in rows if row[3]]
    if shown:
        table = Table("Region", box=None)
        for heading in ("Run", "Unchanged", "Failed"):
            table.add_column(heading, justify="right")
        for region, *counts in shown:
            table.add_row(region.name, *(str(count) for count in counts))
        console.print(table)
    if len(rows) > LONG:
        ran, unchanged, failed = (sum(row[place] for row in rows) for place in (1, 2, 3))
        console.print(
            f"{len(rows):,} regions: {ran:,} chapters run, {unchanged:,} unchanged, {failed:,} failed. "
            f"Reports: {paths.shown(paths.reports())}",
            soft_wrap=True,
            highlight=False,
        )
    else:
        for region, *_ in rows:
            console.print(reports[region.slug], soft_wrap=True, markup=False, highlight=False)
