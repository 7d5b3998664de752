"""A distributed run: the same results as here, fit workers only, and nothing lost with a worker."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sectorbook import chapters, paths, receipts, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import private
from sectorbook.runner import far, order, plan, series, warm
from sectorbook.runner.store import Store
from test_faults import SLOW, family, gone
from test_runner import SMALL, small, tasks, write_notebook

__all__ = ["small"]
distributed = pytest.importorskip("distributed", reason="needs the extra `dask`")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.skipif(warm.why_not() is not None, reason=str(warm.why_not()))
ROOT = Path(__file__).resolve().parents[1]


class Cluster:
    """A scheduler and workers, each a process of its own, as on a cluster."""

    def __init__(self, folder: Path, *tls: str, protocol: str = "tcp") -> None:
        self.folder, self.tls = folder, tls
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--host", "127.0.0.1", "--protocol", protocol,
            "--scheduler-file", str(file), "--no-dashboard",
        )  # fmt: skip
        for _ in range(300):
            if file.exists() and file.read_text(encoding="utf-8"):
                break
            time.sleep(0.1)
        self.address = json.loads(file.read_text(encoding="utf-8"))["address"]
        self.workers: list[subprocess.Popen] = []

    def _start(self, kind: str, *options: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, *options, *self.tls]
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), **environment}
        with (self.folder / f"{kind}.log").open("a") as log:
            return subprocess.Popen(command, env=surroundings, stdout=log, stderr=log)

    def worker(self, threads: int = 1, nanny: bool = False, **environment: str) -> subprocess.Popen:
        self.workers.append(
            self._start(
                "worker", self.address, "--nthreads", str(threads), "--nanny" if nanny else "--no-nanny", "--no-dashboard",
                "--local-directory", str(self.folder / "local"), **environment,
            )
        )  # fmt: skip
        return self.workers[-1]

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait(20)
        self.workers = []

    def close(self) -> None:
        everyone = set().union(*(family(p.pid) for p in (*self.workers, self.scheduler) if p.poll() is None))
        self.dismiss()
        self.scheduler.terminate()
        self.scheduler.wait(20)
        assert gone(everyone), "an orphan"

    def log(self) -> str:
        return (self.folder / "worker.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with one worker of two threads, which serves one run after the other."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.worker(threads=2)
    yield made
    made.close()


def run_far(made: list[plan.Task], place: far.Cluster, **options: object) -> tuple[dict, list[str]]:
    said: list[str] = []
    outcomes = series.run(
        made, None, options.pop("listener", lambda t, o: None), lambda s: None, cluster=place, said=said.append, **options
    )  # fmt: skip
    return {slug: {name: o.error for name, o in own.items()} for slug, own in outcomes.items()}, said


def contents(out: Path) -> dict[str, str | bytes]:
    """All files of a run, executed notebooks and receipts without times."""
    found: dict[str, str | bytes] = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = path.relative_to(out).as_posix()
        if path.suffix == ".ipynb":
            book = json.loads(path.read_text(encoding="utf-8"))
            for part in (book, *book["cells"]):
                (
                    part["metadata"].pop("papermill", None),
                    part["metadata"].pop("execution", None),
                    part.pop("id", None),
                )
            found[name] = json.dumps(book)
        elif path.name == "receipt.json":
            receipt = json.loads(path.read_text(encoding="utf-8"))
            for entry in receipt["chapters"].values():
                entry.pop("seconds"), entry.pop("finished")
            found[name] = json.dumps(receipt)
        elif path.suffix != ".html":
            found[name] = path.read_bytes()
    return found


def test_results_are_those_of_a_run_here(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    found = {}
    places = {
        "here": None,
        "shared folder": far.Cluster(cluster.address),
        "store": far.Cluster(cluster.address, f"file://{tmp_path}/the store"),
    }
    closed: list[str] = []
    for name, place in places.items():
        monkeypatch.setenv(paths.REPORTS, str(tmp_path / name))
        made = plan.make([warehouse.find_region("lima-oh")], chapters.select("00,12"), {}, None)
        outcomes = series.run(
            made, 2, lambda t, o: None, lambda s: None, cluster=place,
            closing="sectorbook.runner.console:build_report" if name == "store" else None,
            closed=lambda slug, said: closed.append(slug),
        )  # fmt: skip
        assert [o.error for o in outcomes["lima-oh"].values()] == [None, None], cluster.log()
        found[name] = contents(tmp_path / name)
        again = plan.make([warehouse.find_region("lima-oh")], chapters.select("00,12"), {}, None)
        assert [task.reason for task in again] == [None, None]
    assert closed == ["lima-oh"] and (tmp_path / "store" / "lima-oh" / "report.html").exists()
    here = found.pop("here")
    assert len([name for name in here if name.endswith(".png")]) >= 3
    for there in found.values():
        assert here.keys() == there.keys()
        assert [name for name in here if here[name] != there[name]] == []
    assert not (tmp_path / "shared folder" / ".store").exists()
    assert [p.name for p in (tmp_path / "the store").iterdir() if list(p.iterdir())] == ["inputs"]


def children(pid: int) -> set[int]:
    listings = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for listing in listings for child in listing.read_text(encoding="ascii").split()}


def cmdline(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


def warm_of(worker: subprocess.Popen) -> set[int]:
    """The worker's processes, once a chapter is among them."""
    for _ in range(1200):
        everyone = family(worker.pid)
        if len(everyone) >= 3:
            return everyone
        time.sleep(0.05)
    pytest.fail("no chapter")


def test_failures_are_named_kept_and_not_tried_again(cluster: Cluster, small: Path, tmp_path: Path) -> None:
    misfortune = {"enid-ok": "import os; os._exit(7)", "albany-ga": "import time; time.sleep(60)"}
    lines = "".join(f"if region == {slug!r}:\n    {line}\n" for slug, line in misfortune.items())
    write_notebook("01_first", 'print("begun", flush=True)\n' + lines + SMALL["01_first"])
    write_notebook("02_second", f"with open({str(tmp_path / 'tries')!r}, 'a') as f:\n    f.write('x')\n1 / 0")
    outcomes = series.run(
        tasks("lima-oh", *misfortune), None, lambda t, o: None, lambda s: None, series.Limits(timeout=8),
        cluster=far.Cluster(cluster.address, str(tmp_path / "s")),
    )  # fmt: skip
    left, slow, fine = (outcomes[slug]["01_first"] for slug in (*misfortune, "lima-oh"))
    assert "exit code 7" in left.error and left.cell == 3
    assert "stopped after 8 seconds" in slow.error
    assert fine.error is None and fine.cpu > 0
    kept = (small / "enid-ok" / "chapters" / "01_first.failed.ipynb").read_text(encoding="utf-8")
    assert "begun" in kept
    assert {own["02_second"].error for own in outcomes.values()} == {"ZeroDivisionError: division by zero"}
    assert (tmp_path / "tries").read_text(encoding="utf-8") == "xxx", "once for each region"
    assert receipts.read("enid-ok")["chapters"]["01_first"]["cell"] == 3


def test_a_worker_killed_in_mid_chapter_loses_nothing(cluster: Cluster, small: Path, tmp_path: Path) -> None:
    write_notebook("01_first", SLOW.format(3) + SMALL["01_first"])
    victim, killed = cluster.workers[0], set()

    def strike() -> None:
        killed.update(warm_of(victim))
        cluster.worker(threads=2)
        victim.kill()
        victim.wait()

    striker = threading.Thread(target=strike)
    striker.start()
    errors, said = run_far(tasks("lima-oh", "enid-ok"), far.Cluster(cluster.address, str(tmp_path / "s")))
    striker.join()
    cluster.workers.remove(victim)
    assert killed and gone(killed), "an orphan of the killed worker"
    assert errors == {s: {"01_first": None, "02_second": None} for s in ("lima-oh", "enid-ok")}, cluster.log()
    quoted = json.loads(paths.ledger("enid-ok", "02_second").read_text(encoding="utf-8"))["items"][0]
    assert quoted["text"] == "3" and said == []
    assert [task.reason for task in tasks("lima-oh", "enid-ok")] == [None] * 4
    assert not list(small.rglob(".*"))


def test_the_death_of_the_client_ends_the_chapters_on_the_workers(
    cluster: Cluster, small: Path, home: Path, tmp_path: Path
) -> None:
    write_notebook("01_first", SLOW.format(90))
    [worker] = cluster.workers
    command = ["run", "lima-oh", "--scheduler", cluster.address, "--store", str(tmp_path / "s"), "--log-json"]
    going = subprocess.Popen(
        [sys.executable, "-m", "sectorbook", *command], stdout=subprocess.DEVNULL, env=dict(os.environ)
    )
    try:
        began = warm_of(worker)
    finally:
        going.kill()
        going.wait()
    [parent] = [pid for pid in began if "runner.parent" in cmdline(pid) and pid in children(worker.pid)]
    assert began - {worker.pid, parent} and gone(began - {worker.pid, parent}), "a chapter nobody waits for"


def test_a_worker_that_does_not_fit_is_refused(small: Path, home: Path, tmp_path: Path) -> None:
    """Without a store each worker has a checkout of its own."""
    other = tmp_path / "other"
    shutil.copytree(home, other)
    sidecar = next(other.glob("data/processed/*/*/sidecar.json"))
    text = sidecar.read_text(encoding="utf-8")
    sidecar.write_text(text.replace('"sha256": "', '"sha256": "0', 1), encoding="utf-8")
    package = tmp_path / "lib" / "sectorbook"
    shutil.copytree(ROOT / "lib" / "sectorbook", package)
    with (package / "errors.py").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    cluster = Cluster(tmp_path)
    try:
        cluster.worker(SECTORBOOK_HOME=str(other)), cluster.worker(PYTHONPATH=str(package.parent))
        place = far.Cluster(cluster.address)
        with distributed.Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        with pytest.raises(SectorbookError, match="No worker at tcp.* fits this run. Worker tcp.* other "):
            run_far(tasks("lima-oh"), place)
        assert not list(small.rglob("*.ipynb")) and not list(small.rglob(".*"))
        cluster.worker(SECTORBOOK_HOME=str(home))
        with distributed.Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=60)
        errors, said = run_far(tasks("lima-oh"), place)
        assert errors == {"lima-oh": {"01_first": None, "02_second": None}}
        assert sorted(text.partition("is left out: ")[2] for text in said) == ["other code.", "other data."]
    finally:
        cluster.close()


def test_what_is_different_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = order.identity(["lima-oh"], True)
    assert order.difference(mine) is None
    assert order.difference({**mine, "pandas": "0.1", "configuration": "x" * 64}) == (
        f"pandas {mine['pandas']}, here 0.1; other configuration"
    )


# -- one clear message ------------------------------------------------------------------------------------


def command(*arguments: str, out: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sectorbook", "run", "lima-oh", "--chapters", "00", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, paths.REPORTS: str(out), "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (far.Cluster("nonsense"), "No scheduler can be reached at nonsense"),
        (far.Cluster("tls://127.0.0.1:9"), "check your TLS configuration"),
        (far.Cluster("tls://127.0.0.1:9", tls_ca_file="none.pem"), "There is no TLS file none.pem"),
        (far.Cluster("tls://127.0.0.1:9", None, __file__, __file__, __file__), "No scheduler can be reached"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_named(place: far.Cluster, told: str) -> None:
    with pytest.raises(SectorbookError, match=told):
        far.connect(place)


def test_a_wrong_command_gives_one_message(tmp_path: Path) -> None:
    done = command("--scheduler", "tcp://127.0.0.1:9", out=tmp_path)
    assert done.returncode == 2 and "No scheduler can be reached at tcp://127.0.0.1:9" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    done = command("--store", "s3://x", out=tmp_path)
    assert done.returncode == 2 and "--scheduler" in done.stderr


def test_it_runs_over_tls(small: Path, home: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    files = ["--tls-ca-file", str(certificate), "--tls-cert", str(certificate), "--tls-key", str(key)]
    cluster = Cluster(tmp_path, *files, protocol="tls")
    try:
        assert cluster.address.startswith("tls://")
        cluster.worker(SECTORBOOK_HOME=str(home))
        place = far.Cluster(cluster.address, None, str(certificate), str(certificate), str(key))
        errors, _ = run_far(tasks("lima-oh"), place)
        assert errors == {"lima-oh": {"01_first": None, "02_second": None}}
        with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), pytest.raises(SectorbookError):
            far.connect(far.Cluster(cluster.address.replace("tls:", "tcp:")))
    finally:
        cluster.close()


# -- the store --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["memory://sectorbook", "file", "plain"])
def test_a_store_gives_back_what_it_was_given(tmp_path: Path, address: str) -> None:
    place = {"file": f"file://{tmp_path}/with space", "plain": str(tmp_path / "p")}.get(address, address)
    store = Store(place)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1" * 1000), two.write_bytes(b"1" * 1000)
    sums = store.send("runs/x", [one, two])
    assert store.names("runs/x") == set(sums.values()) and len(set(sums.values())) == 1
    wanted = {tmp_path / "back" / "a": sums[one], tmp_path / "back" / "b" / "c": sums[two]}
    store.fetch("runs/x", wanted)
    assert all(path.read_bytes() == b"1" * 1000 for path in wanted)
    assert sorted(p.name for p in (tmp_path / "back").iterdir()) == ["a", "b"]
    store.remove("runs"), store.remove("runs")
    assert store.names("runs/x") == set()
    with pytest.raises(SectorbookError, match="failed"):
        store.fetch("runs/x", {tmp_path / "a": sums[one]})


def test_a_damaged_file_in_the_store_is_not_taken(tmp_path: Path) -> None:
    store, one = Store(str(tmp_path / "s")), tmp_path / "one"
    one.write_text("one", encoding="utf-8")
    [name] = store.send("x", [one]).values()
    (tmp_path / "s" / "x" / name).write_text("on", encoding="utf-8")
    with pytest.raises(SectorbookError, match="gave another file"):
        store.fetch("x", {tmp_path / "back": name})
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("address", ["nothing://x", "s3://bucket"])
def test_a_store_that_cannot_be_used_is_named(address: str) -> None:
    if address.startswith("s3"):
        try:
            import s3fs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("s3fs is installed")
    with pytest.raises(SectorbookError, match=f"The store {address} cannot be used"):
        Store(address)


def test_nothing_of_people_travels(home: Path) -> None:
    """Chapters on people run on the machine that holds their files."""
    paths.local("lima-oh", "private", "out").mkdir(parents=True)
    for name in (
        "participants.csv",
        "pirl.csv",
        "wage_records.xlsx",
        private.KEY,
        "private/out/ledger.json",
        "goals.csv",
    ):
        paths.local("lima-oh", *name.split("/")).write_bytes(b"x")
    sent = [path for path in far._home(["lima-oh"]) if path.is_relative_to(paths.local("lima-oh"))]
    assert [path.name for path in sent] == ["goals.csv"]
    here = {chapter.name for chapter in chapters.discover() if far._stays(chapter.name)}
    assert (
        here == {chapter.name for chapter in chapters.discover() if chapter.person_level}
        and "09_workers" in here
    )
