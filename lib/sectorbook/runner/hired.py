"""The worker's side of a distributed run: is it fit for the run, and one chapter after the other.

Only Dask's workers import this module. Each chapter runs in a child forked from the worker's own warm parent; it writes
into a folder of the worker's own, and what it wrote goes to the store when it has ended.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker
from distributed.utils import offload

from sectorbook import paths
from sectorbook.errors import SectorbookError
from sectorbook.runner import warm, workers
from sectorbook.runner.order import INPUTS, Answer, Job, Order, difference, digest
from sectorbook.runner.store import Store

SLICE_SECONDS = 0.1
# A warm parent without work goes: nobody tells a worker that a run was killed.
IDLE_SECONDS = 60
KEY = "chapter"


class Unwanted(Exception):
    """The run does not wait for this chapter any more."""


def plugin_name(run: str) -> str:
    """Return the name under which a run's post hangs on a worker."""
    return f"sectorbook-{run}"


class Post(WorkerPlugin):
    """What a worker holds for one run: the checkout, the warm parent, a folder for what is being made."""

    def __init__(self, order: Order, address: str, local: Path) -> None:
        self.order, self.folder = order, local / plugin_name(order.run)
        self.store = Store(order.store)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = paths.root() if order.home is None else self._fetch_home(local.parent)
        self._check_store(address)
        self.lock, self.busy = threading.Lock(), 0
        self.warm: warm.Warm | None = None
        self.timer: threading.Timer | None = None

    def _fetch_home(self, cache: Path) -> Path:
        """Return a checkout's configuration, chapters and data; workers on one machine share it."""
        target = cache / f"sectorbook-{digest(self.order.home)}"
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix=".sectorbook-") as temporary:
                whole = Path(temporary) / "home"
                self.store.fetch(INPUTS, {whole / name: digest for name, digest in self.order.home.items()})
                try:
                    whole.rename(target)
                except OSError:
                    if not target.exists():
                        raise
        return target

    def _check_store(self, address: str) -> None:
        """See what the run put there, and leave something. Raises SectorbookError when that cannot be done."""
        token = self.folder / "token"
        self.store.fetch(self.order.folder, {token: self.order.token})
        token.write_text(address, encoding="utf-8")
        self.store.send(self.order.folder, [token])

    def _parent(self) -> warm.Warm:
        with self.lock:
            if self.timer:
                self.timer.cancel()
            self.busy += 1
            if self.warm is None or self.warm.dead:
                self.warm = warm.start({paths.HOME: str(self.home)})
            return self.warm

    def _rest(self) -> None:
        with self.lock:
            self.busy -= 1
            if not self.busy:
                self.timer = threading.Timer(IDLE_SECONDS, self._leave)
                self.timer.daemon = True
                self.timer.start()

    def _leave(self) -> None:
        with self.lock:
            if not self.busy and self.warm:
                self.warm.close()
                self.warm = None

    def do(self, job: Job, wanted: Callable[[], bool]) -> Answer:
        """Run one chapter and return how it ended and what it wrote. Raises Unwanted when nobody waits any more."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as scratch:
            out = Path(scratch)
            self.store.fetch(self.order.folder, {out / name: digest for name, digest in job.reads.items()})
            end = self._run(job, out, wanted)
            if end.lost:
                return Answer(end, {})
            target = out / paths.executed(job.slug, job.chapter).relative_to(paths.reports())
            end = workers.End(workers.outcome(job.chapter, end, target), cpu=end.cpu)
            made = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
            new = [path for path in made if path.relative_to(out).as_posix() not in job.reads]
            sums = self.store.send(job.folder, new)
        return Answer(end, {path.relative_to(out).as_posix(): digest for path, digest in sums.items()})

    def _run(self, job: Job, out: Path, wanted: Callable[[], bool]) -> workers.End:
        surroundings = {paths.HOME: str(self.home), paths.REPORTS: str(out)}
        crew, reason = workers.make(self.order.timeout, self.order.memory_mb, 1, surroundings)
        if reason is None:
            crew.parent = self._parent()
        try:
            crew.start(KEY, workers.chapter_function(), (job.slug, job.chapter, job.parameters))
            while not (ends := crew.wait(SLICE_SECONDS)):
                if not wanted():
                    raise Unwanted(job.slug, job.chapter)
            return ends[KEY]
        except warm.Lost as problem:
            return workers.End(reason=str(problem).rstrip("."), lost=True)
        finally:
            crew.close()
            if reason is None:
                self._rest()

    def teardown(self, worker: Worker) -> None:
        """End everything of the run on this worker."""
        if self.timer:
            self.timer.cancel()
        if self.warm:
            self.warm.close()
        shutil.rmtree(self.folder, ignore_errors=True)


async def hire(order: Order, dask_worker: Worker) -> dict[str, Any]:
    """Make the worker ready for a run; return how many chapters it takes at a time, or why it is left out."""
    name = plugin_name(order.run)
    try:
        if reason := await offload(difference, order.identity):
            return {"refused": reason}
        if name not in dask_worker.plugins:
            post = await offload(Post, order, dask_worker.address, Path(dask_worker.local_directory))
            await dask_worker.plugin_add(post, name, catch_errors=False)
    except (SectorbookError, OSError) as problem:
        return {"refused": str(problem)}
    return {"refused": None, "threads": dask_worker.state.nthreads}


async def dismiss(run: str, dask_worker: Worker) -> None:
    """Let a worker go: its warm parent ends, its folder is removed."""
    if plugin_name(run) in dask_worker.plugins:
        await dask_worker.plugin_remove(plugin_name(run))


def work(run: str, job: Job) -> Answer:
    """Run one chapter on this worker, as a task of Dask's."""
    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in ("executing", "long-running")

    return worker.plugins[plugin_name(run)].do(job, wanted)
