"""Workers on other machines: a Dask cluster's, behind the same calls as those on this one.

The cluster places chapters and, when a worker is lost, runs its chapters elsewhere. A worker takes part when its
Sectorbook, its libraries and its data are those of this machine. Files travel through a `store.Store`; only this
process gives results their names, so a worker that comes back from the dead overwrites nothing. Reports are built here.
"""

import time
import uuid
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sectorbook import chapters, config, paths, provenance
from sectorbook.errors import SectorbookError
from sectorbook.local import origin, private
from sectorbook.runner import execute, workers
from sectorbook.runner.order import INPUTS, Answer, Job, Order, identity
from sectorbook.runner.plan import Task
from sectorbook.runner.store import Store
from sectorbook.runner.workers import End

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 300.0  # without a single fit worker
CARRIERS = 8


@dataclass(frozen=True)
class Cluster:
    """Where the scheduler is, where files travel (None: the output folder, which all machines see), and TLS files."""

    scheduler: str
    store: str | None = None
    tls_ca_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


def _home(slugs: list[str]) -> list[Path]:
    """Return the files of the checkout that chapters may read."""
    folders = [
        paths.config(),
        paths.processed(),
        *(paths.local(slug) for slug in (*slugs, origin.DEMONSTRATION)),
    ]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    tables = {name for name, table in config.local().items() if table.private}

    def travels(path: Path) -> bool:
        parts = path.relative_to(paths.root()).parts
        of_people = path.stem in tables or path.name == private.KEY or paths.PRIVATE in parts
        return not of_people and not any(part.startswith(".") for part in parts)

    return [*filter(travels, found), *(c.path for c in chapters.discover())]


def _stays(name: str) -> bool:
    """Return whether a chapter is on people: it runs here, and neither its files nor its findings travel."""
    (chapter,) = chapters.select(name)
    return chapter.person_level


def connect(cluster: Cluster) -> Any:
    """Return a client of the cluster's scheduler. Raises SectorbookError when there is none to be had."""
    try:
        from distributed import Client
        from distributed.comm import connect as reach
        from distributed.security import Security
        from distributed.utils import LoopRunner
    except ImportError as error:
        raise SectorbookError(
            f"--scheduler needs Dask, which is not installed here: pip install 'sectorbook[dask]' ({error})."
        ) from error
    given = {
        "tls_ca_file": cluster.tls_ca_file,
        "tls_client_cert": cluster.tls_cert,
        "tls_client_key": cluster.tls_key,
    }
    files = {name: value for name, value in given.items() if value}
    if missing := [value for value in files.values() if not Path(value).is_file()]:
        raise SectorbookError(f"There is no TLS file {missing[0]}.")
    security = Security(**files)
    runner = LoopRunner()

    async def knock() -> None:
        comm = await reach(cluster.scheduler, **security.get_connection_args("client"))
        await comm.close()

    try:
        # A client that finds nobody leaves threads and messages behind; so somebody else looks first.
        runner.start()
        try:
            runner.run_sync(knock)
        finally:
            runner.stop()
        return Client(cluster.scheduler, security=security, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise SectorbookError(f"No scheduler can be reached at {cluster.scheduler}: {error}") from error


@dataclass
class _Sent:
    """A chapter at the cluster: its future, and the workers that were named for it."""

    job: Job
    future: Any = None
    places: frozenset[str] = frozenset()


@dataclass
class Far:
    """Chapters on a cluster's workers, and reports on this machine, by `near`."""

    cluster: Cluster
    tasks: list[Task]
    timeout: float | None
    memory_mb: int | None
    at_once: int | None
    near: workers.Forked | workers.Spawned
    said: Callable[[str], None]
    jobs: dict[Hashable, _Sent] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)  # of each worker that takes part
    known: set[str] = field(default_factory=set)  # every worker that was asked
    order: Order | None = None
    client: Any = None
    closing: bool = False

    def prepare(self) -> None:
        """Connect, put the run's files where workers find them, and wait for the first worker that fits.

        Raises SectorbookError when there is no scheduler, no store, or no worker that fits.
        """
        self.client = connect(self.cluster)
        self.run = uuid.uuid4().hex[:12]
        self.ends: SimpleQueue = SimpleQueue()
        self.carriers = ThreadPoolExecutor(CARRIERS)
        self.seen = self.looked = 0.0
        try:
            self._write_order()
            self.seen = time.monotonic()
            while not self.threads:
                self._look()
                time.sleep(LOOK_SECONDS / 10)
        except BaseException:
            self.close()
            raise

    def _write_order(self) -> None:
        slugs = sorted({task.region.slug for task in self.tasks})
        self.store = Store(self.cluster.store or str(paths.store().resolve()))
        home = None
        if self.cluster.store:
            there = self.store.names(INPUTS)
            sums = {path: provenance.sha256(path) for path in _home(slugs)}
            self.store.send(INPUTS, [path for path, sha in sums.items() if sha not in there])
            home = {path.relative_to(paths.root()).as_posix(): sha for path, sha in sums.items()}
        else:
            self.store.remove("runs")
        token = paths.reports(f".{self.run}")
        with paths.write_atomic(token) as file:
            file.write(self.run)
        try:
            [sha] = self.store.send(f"runs/{self.run}", [token]).values()
        finally:
            token.unlink()
        self.order = Order(
            self.run,
            identity(slugs, home is None),
            self.store.address,
            sha,
            home,
            self.timeout,
            self.memory_mb,
        )

    def _look(self) -> None:
        """See which workers there are, ask new ones, and find chapters whose workers have all gone."""
        if time.monotonic() < self.looked + LOOK_SECONDS and self.threads:
            return
        self.looked = time.monotonic()
        try:
            there = set(self.client.nthreads())
            new = sorted(there - self.known)
            from sectorbook.runner import hired

            hires = self.client.run(hired.hire, self.order, workers=new, on_error="return") if new else {}
        except (OSError, ValueError) as error:
            raise self._gone() from error
        self.known = (self.known & there) | set(new)
        self.threads = {address: count for address, count in self.threads.items() if address in there}
        for address, found in hires.items():
            if isinstance(found, Exception):
                found = {"refused": f"it cannot run this Sectorbook ({type(found).__name__}: {found})"}
            if found["refused"]:
                self.refusal = f"Worker {address} is left out: {found['refused']}."
                self.said(self.refusal)
            else:
                self.threads[address] = found["threads"]
        if self.threads:
            self.seen = time.monotonic()
            for key, sent in self.jobs.items():
                if not sent.places & self.threads.keys():
                    self._submit(key, sent)
        elif hires and not self.jobs:
            raise SectorbookError(f"No worker at {self.cluster.scheduler} fits this run. {self.refusal}")
        elif time.monotonic() > self.seen + PATIENCE_SECONDS:
            raise SectorbookError(
                f"{self.cluster.scheduler} has had no worker for this run for {PATIENCE_SECONDS:.0f} seconds."
            )

    def _gone(self) -> SectorbookError:
        return SectorbookError(
            f"The scheduler at {self.cluster.scheduler} no longer answers. Run the same command again to go on."
        )

    def room(self, task: Task | None) -> bool:
        """Return whether one more job may start: a chapter on the cluster; here one on people, or a region's closing."""
        if task is None or task.chapter.person_level:
            return self.near.room(task)
        # One more for each worker than it has threads, so that none waits for its next one.
        most = sum(self.threads.values()) + len(self.threads)
        return len(self.jobs) < min(most, self.at_once or most)

    def start(self, key: Hashable, function: str, arguments: tuple) -> None:
        """Begin a job: the closing of a region here, a chapter on a worker, by the worker's own way to run one."""
        if key[0] == workers.CLOSING or _stays(key[1]):
            self.near.start(key, function, arguments)
            return
        slug, name, parameters = arguments
        paths.ledger(slug, name).unlink(missing_ok=True)
        reads = {}
        if any(c.reads_findings for c in chapters.discover() if c.name == name):
            ledgers = sorted(paths.ledger(slug, "x").parent.glob("*.json"))
            sums = self.store.send(self.order.folder, ledgers)
            reads = {path.relative_to(paths.reports()).as_posix(): sha for path, sha in sums.items()}
        self.jobs[key] = _Sent(
            Job(slug, name, parameters, reads, f"{self.order.folder}/{uuid.uuid4().hex[:12]}")
        )
        if self.threads:
            self._submit(key, self.jobs[key])

    def _submit(self, key: Hashable, sent: _Sent) -> None:
        from sectorbook.runner import hired

        if sent.future is not None:
            sent.future.release()
        sent.places = frozenset(self.threads)
        sent.future = self.client.submit(
            hired.work,
            self.run,
            sent.job,
            workers=sorted(sent.places),
            pure=False,
            key="-".join((*key, uuid.uuid4().hex[:12])),
        )
        sent.future.add_done_callback(lambda future: self._done(key, sent, future))

    def _done(self, key: Hashable, sent: _Sent, future: Any) -> None:
        if not self.closing:
            self.carriers.submit(self._bring, key, sent, future)

    def _bring(self, key: Hashable, sent: _Sent, future: Any) -> None:
        """Bring a chapter's files here and tell `wait` of its end."""
        if sent.future is not future:
            return
        try:
            end = self._brought(sent.job, future)
        except Exception as problem:  # noqa: BLE001 - this thread has nobody above it to hear of a problem
            end = End(reason=f"Its results could not be brought here: {problem}".rstrip("."))
        self.ends.put((key, future, end))

    def _brought(self, job: Job, future: Any) -> End:
        from distributed.scheduler import KilledWorker

        if future.status != "finished":
            problem = future.exception() if future.status == "error" else None
            if problem is None or isinstance(problem, KilledWorker):
                return End(reason="The workers that ran it were lost", lost=True)
            return End(reason=f"The worker could not run it: {type(problem).__name__}: {problem}".rstrip("."))
        answer: Answer = future.result()
        self.store.fetch(job.folder, {paths.reports(name): sha for name, sha in answer.files.items()})
        if answer.end.result is not None and not answer.end.result.error:
            execute.failed(paths.executed(job.slug, job.chapter)).unlink(missing_ok=True)
        self.store.remove(job.folder)
        return answer.end

    def wait(self) -> dict[Hashable, End]:
        """Return the jobs that ended, after waiting until there is one. Raises SectorbookError when the cluster is gone."""
        while True:
            found: dict[Hashable, End] = self.near.wait(0) if self.near.jobs else {}
            try:
                while True:
                    key, future, end = self.ends.get(timeout=0 if found else LOOK_SECONDS / 10)
                    if key in self.jobs and self.jobs[key].future is future:
                        del self.jobs[key]
                        found[key] = end
            except Empty:
                pass
            if self.client.status != "running":
                raise self._gone()
            self._look()
            if found or not (self.jobs or self.near.jobs):
                return found

    def close(self) -> None:
        """End everything that still runs, here and on the workers, and clear the store of this run."""
        self.closing = True
        self.near.close()
        futures = [sent.future for sent in self.jobs.values() if sent.future is not None]
        self.jobs.clear()
        try:
            if self.client.status == "running":
                from sectorbook.runner import hired

                self.client.cancel(futures, force=True)
                self.client.run(hired.dismiss, self.run, workers=sorted(self.threads), on_error="ignore")
        except (OSError, ValueError) as error:
            self.said(f"The workers were not told of the end: {error}")
        self.carriers.shutdown(cancel_futures=True)
        self.client.close()
        if self.order:
            try:
                self.store.remove(self.order.folder if self.cluster.store else "")
            except SectorbookError as problem:
                self.said(f"Files of this run were left behind. {problem}")
