"""What a run says while it runs: to a person, to a person who wants failures only, to a log."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any, Self

from sectorbook.runner.execute import Outcome
from sectorbook.runner.plan import Task


def _where(outcome: Outcome) -> str:
    return f"cell {outcome.cell}" if outcome.cell is not None else "the run"


class Quiet:
    """Failures only, a line each on standard error."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, task: Task) -> None:
        """A chapter begins."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A chapter has ended."""
        if outcome.error:
            self.failure(task, outcome)

    def failure(self, task: Task, outcome: Outcome) -> None:
        """Say which cell of which chapter of which region failed, and the message."""
        where = f"{task.region.slug}, {task.chapter.name}, {_where(outcome)}"
        sys.stderr.write(f"{where}: {outcome.error}\n")

    def report(self, slug: str, said: str) -> None:
        """A region's report was built."""

    def remark(self, text: str) -> None:
        """Something about the run itself."""
        sys.stderr.write(text + "\n")

    def total(self, unchanged: int, run: int, failed: int) -> None:
        """The run has ended."""


class Json(Quiet):
    """One JSON object a line on standard output: `event`, `time`, and what belongs to the event."""

    def _line(self, event: str, **content: Any) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        sys.stdout.write(json.dumps({"event": event, "time": stamp, **content}, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def __enter__(self) -> Self:
        self._line("run started", chapters=self.count)
        return self

    def started(self, task: Task) -> None:
        """A chapter begins."""
        self._line("started", region=task.region.slug, chapter=task.chapter.name, reason=task.reason)

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A chapter has ended."""
        failed = {"error": outcome.error, "cell": outcome.cell} if outcome.error else {}
        self._line(
            "failed" if failed else "done", region=task.region.slug, chapter=task.chapter.name,
            seconds=round(outcome.seconds, 2), cpu=outcome.cpu and round(outcome.cpu, 2), **failed,
        )  # fmt: skip

    def report(self, slug: str, said: str) -> None:
        """A region's report was built."""
        self._line("report", region=slug, report=said)

    def remark(self, text: str) -> None:
        """Something about the run itself."""
        self._line("remark", text=text)

    def total(self, unchanged: int, run: int, failed: int) -> None:
        """The run has ended."""
        self._line("run ended", unchanged=unchanged, run=run, failed=failed)


class Live(Quiet):
    """A bar with regions done, failures, throughput and the time left; failures above it."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.begun, self.done, self.failed, self.regions = time.monotonic(), 0, 0, 0
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self.count,
        )
        self.line = self.bar.add_task("starting", total=self.count, facts="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar.live.is_started:
            self.bar.stop()

    def _facts(self) -> str:
        rate = 60 * self.done / max(time.monotonic() - self.begun, 0.1)
        return f"{self.regions} regions, {self.failed} failed, {rate:.0f} chapters a minute"

    def started(self, task: Task) -> None:
        """A chapter begins; with the first one the bar is shown."""
        self.bar.start()
        self.bar.update(self.line, description=f"{task.region.slug} {task.chapter.name}", facts=self._facts())

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A chapter has ended."""
        self.done += 1
        self.failed += bool(outcome.error)
        super().ended(task, outcome)
        self.bar.update(self.line, advance=1, facts=self._facts())

    def failure(self, task: Task, outcome: Outcome) -> None:
        """Say which cell of which chapter of which region failed, and the message."""
        where = f"{task.region.slug}, {task.chapter.name}, {_where(outcome)}"
        self.bar.console.print(f"[bold]{where}:[/bold] ", end="", highlight=False)
        self.bar.console.print(outcome.error, markup=False, highlight=False)

    def report(self, slug: str, said: str) -> None:
        """A region's report was built."""
        self.regions += 1
        self.bar.update(self.line, facts=self._facts())

    def remark(self, text: str) -> None:
        """Something about the run itself."""
        self.bar.console.print(text, markup=False, highlight=False)


VOICES = {"live": Live, "quiet": Quiet, "json": Json}
