"""A series: the tasks of a plan on several processes, one region's failure never stopping another's."""

import multiprocessing
import signal
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime

from sectorbook import paths, receipts
from sectorbook.errors import SectorbookError
from sectorbook.runner.execute import Outcome, execute
from sectorbook.runner.plan import Task

Listener = Callable[[Task, Outcome | None], None]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _entry(task: Task, outcome: Outcome) -> dict:
    """Return what the receipt says of one chapter."""
    return {
        "status": "failed" if outcome.error else "done",
        "parameters": task.parameters,
        "fingerprint": task.fingerprint,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(outcome.seconds, 2),
        **({"error": outcome.error, "cell": outcome.cell} if outcome.error else {}),
    }


def require_writable() -> None:
    """Raise SectorbookError when the output folder cannot be written, before anything runs."""
    probe = paths.reports(".probe")
    with paths.write_atomic(probe) as file:
        file.write("")
    probe.unlink()


def run(
    tasks: list[Task], jobs: int, listener: Listener, finished: Callable[[str], None]
) -> dict[str, dict[str, Outcome]]:
    """Run the tasks that have a reason, `jobs` at a time, and return each region's outcomes by chapter.

    `listener` hears of each task when it starts (no outcome) and ends; `finished` of each region whose last task
    ended, after its receipt was written. A chapter that quotes others starts when those have ended.
    """
    outcomes: dict[str, dict[str, Outcome]] = defaultdict(dict)
    by_region: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_region[task.region.slug].append(task)
    waiting = [task for task in tasks if task.reason]
    left = {slug: sum(bool(t.reason) for t in own) for slug, own in by_region.items()}
    if not waiting:
        return outcomes

    def ready(task: Task) -> bool:
        pending = {t.chapter.name for t in waiting if t.region.slug == task.region.slug}
        running_here = {t.chapter.name for t in running.values() if t.region.slug == task.region.slug}
        return not set(task.after) & (pending | running_here)

    running: dict[Future, Task] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _leave_interrupts_to_the_parent) as pool:
        try:
            while waiting or running:
                for task in [t for t in waiting if ready(t)][: jobs - len(running)]:
                    waiting.remove(task)
                    where = (task.region.slug, task.chapter.name)
                    listener(task, None)
                    future = pool.submit(
                        execute, str(task.chapter.path), str(paths.executed(*where)), str(paths.ledger(*where)),
                        task.parameters, str(paths.reports()),
                    )  # fmt: skip
                    running[future] = task
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task = running.pop(future)
                    slug = task.region.slug
                    try:
                        outcome = future.result()
                    except BrokenProcessPool as error:
                        raise SectorbookError(
                            f"A process of the run was killed during {task.chapter.name} of {slug}. Run again to go on."
                        ) from error
                    outcomes[slug][task.chapter.name] = outcome
                    receipts.write(task.region, {task.chapter.name: _entry(task, outcome)})
                    listener(task, outcome)
                    left[slug] -= 1
                    if left[slug] == 0:
                        finished(slug)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes
