"""A series: the tasks of a plan on several processes, one region's failure never stopping another's."""

import contextlib
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sectorbook import paths, receipts
from sectorbook.errors import SectorbookError
from sectorbook.runner import far, leftovers, warm, workers
from sectorbook.runner.execute import Outcome
from sectorbook.runner.plan import Task

Listener = Callable[[Task, Outcome | None], None]
TRIES = 2


@dataclass(frozen=True)
class Limits:
    """What one chapter may take: seconds, and memory of its own. None: no limit."""

    timeout: float | None = None
    memory_mb: int | None = None


def _entry(task: Task, outcome: Outcome) -> dict:
    """Return what the receipt says of one chapter."""
    return {
        "status": "failed" if outcome.error else "done",
        "parameters": task.parameters,
        "fingerprint": task.fingerprint,
        "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(outcome.seconds, 2),
        **({"error": outcome.error, "cell": outcome.cell} if outcome.error else {}),
    }


def require_writable() -> None:
    """Raise SectorbookError when the output folder cannot be written, before anything runs."""
    probe = paths.reports(".probe")
    with paths.write_atomic(probe) as file:
        file.write("")
    probe.unlink()


class _Stop:
    """Ctrl-C: the first one lets what runs come to its end, the second one does not."""

    def __init__(self, told: Callable[[], None]) -> None:
        self.told, self.asked = told, False

    def __call__(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.told()


@contextlib.contextmanager
def _stoppable(told: Callable[[], None]) -> Iterator[_Stop]:
    stop = _Stop(told)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class _Queue:
    """What waits, region by region: a chapter that quotes others comes out when those have ended."""

    def __init__(self, tasks: list[Task]) -> None:
        self.waiting: dict[str, list[Task]] = defaultdict(list)
        self.open: dict[str, set[str]] = defaultdict(set)
        for task in tasks:
            if task.reason:
                self.waiting[task.region.slug].append(task)
                self.open[task.region.slug].add(task.chapter.name)

    def next(self, fits: Callable[[Task], bool]) -> Task | None:
        """Take out the next task that can start and that somebody has room for, or None."""
        for slug, own in self.waiting.items():
            for place, task in enumerate(own):
                if not set(task.after) & self.open[slug] and fits(task):
                    del own[place]
                    if not own:
                        del self.waiting[slug]
                    return task
        return None

    def ended(self, task: Task) -> bool:
        """Note that a task has ended; return whether it was its region's last."""
        self.open[task.region.slug].discard(task.chapter.name)
        return not self.open[task.region.slug]

    def again(self, task: Task) -> None:
        """Put a task back."""
        self.waiting[task.region.slug].insert(0, task)


def _crew(
    tasks: list[Task],
    jobs: int | None,
    limits: Limits,
    cluster: far.Cluster | None,
    said: Callable[[str], None],
) -> workers.Forked | workers.Spawned | far.Far:
    """Return who does the work: processes here, or the workers of a cluster."""
    crew, reason = workers.make(limits.timeout, limits.memory_mb, jobs or workers.cores())
    if reason:
        said(f"Each chapter starts a kernel of its own: {reason}.")
    return far.Far(cluster, tasks, limits.timeout, limits.memory_mb, jobs, crew, said) if cluster else crew


def run(
    tasks: list[Task],
    jobs: int | None,
    listener: Listener,
    finished: Callable[[str], None],
    limits: Limits | None = None,
    closing: str | None = None,
    closed: Callable[[str, str | None], None] = lambda slug, said: None,
    said: Callable[[str], None] = lambda text: None,
    cluster: far.Cluster | None = None,
) -> dict[str, dict[str, Outcome]]:
    """Run the tasks that have a reason, `jobs` at a time, and return each region's outcomes by chapter.

    Chapters run on this machine, or on the workers of `cluster`; without `jobs`, as many as there are cores for.

    `listener` hears of each task when it starts (no outcome) and ends; `finished` of each region whose last task
    ended, after its receipt was written. A chapter that quotes others starts when those have ended. `closing` names
    a function of ours ("module:name") that takes a region's slug and runs in a process of its own after the
    region's last chapter; `closed` hears what it returned. `said` hears remarks on the run itself. A task whose
    process was killed from outside is tried again once. Raises KeyboardInterrupt after Ctrl-C, and SectorbookError
    when another run writes to the same folder.
    """
    outcomes: dict[str, dict[str, Outcome]] = defaultdict(dict)
    queue = _Queue(tasks)
    if not queue.waiting:
        return outcomes
    limits = limits or Limits()
    crew = _crew(tasks, jobs, limits, cluster, said)
    function = workers.chapter_function()
    running: dict[tuple[str, str], Task | str] = {}
    tries: Counter = Counter()
    closings: list[str] = []

    def note(task: Task, outcome: Outcome) -> None:
        slug = task.region.slug
        try:
            receipts.write(task.region, {task.chapter.name: _entry(task, outcome)})
        except SectorbookError as problem:
            outcome = replace(outcome, error=outcome.error or str(problem))
        outcomes[slug][task.chapter.name] = outcome
        listener(task, outcome)
        if queue.ended(task):
            leftovers.sweep(slug)
            finished(slug)
            if closing:
                closings.append(slug)

    def begin(key: tuple[str, str], item: Task | str, name: str, arguments: tuple) -> None:
        running[key] = item
        tries[key] += 1
        try:
            crew.start(key, name, arguments)
        except warm.Lost as problem:
            del running[key]
            over(key, item, workers.End(reason=str(problem).rstrip("."), lost=True))

    def over(key: tuple[str, str], item: Task | str, end: workers.End) -> None:
        if end.lost and tries[key] < TRIES:
            if isinstance(item, str):
                closings.append(item)
            else:
                leftovers.sweep_chapter(item.region.slug, item.chapter.name)
                queue.again(item)
        elif isinstance(item, str):
            closed(item, end.result)
        else:
            note(item, workers.outcome(key[1], end, paths.executed(*key, item.chapter.person_level)))

    with (
        leftovers.sole_writer(),
        _stoppable(lambda: said("Finishing what runs; Ctrl-C again stops now.")) as stop,
    ):
        crew.prepare()
        for slug in queue.waiting:
            leftovers.sweep(slug)
        try:
            while True:
                while True:
                    if closings and crew.room(None):
                        slug = closings.pop(0)
                        begin((workers.CLOSING, slug), slug, closing, (slug,))
                    elif not stop.asked and (task := queue.next(crew.room)):
                        key = (task.region.slug, task.chapter.name)
                        listener(task, None)
                        begin(key, task, function, (*key, task.parameters))
                    else:
                        break
                if not running and not closings and (stop.asked or not queue.waiting):
                    break
                for key, end in crew.wait().items():
                    over(key, running.pop(key), end)
        finally:
            crew.close()
    if stop.asked:
        raise KeyboardInterrupt
    return outcomes
