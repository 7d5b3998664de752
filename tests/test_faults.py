"""Nothing is lost: whatever dies, hangs or floods, the rest goes on, the failure is named, the next run resumes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from sectorbook import paths, receipts
from sectorbook.errors import SectorbookError
from sectorbook.runner import leftovers, plan, process, series, warm, workers
from test_runner import SMALL, run, small, tasks, write_notebook

__all__ = ["small"]
pytestmark = pytest.mark.skipif(warm.why_not() is not None, reason=str(warm.why_not()))
FAULTS = int(os.environ.get("SECTORBOOK_FAULTS", "4"))
SLOW = "import time; time.sleep({})\n"


def in_enid(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f'print("begun", flush=True)\nif region == "enid-ok":\n{lines}\n' + SMALL["01_first"]


def of_series() -> set[int]:
    """Processes that a series of this test could have left: forked children and what they started."""
    parent = warm.shared().process.pid
    listing = Path(f"/proc/{parent}/task/{parent}/children")
    return {int(pid) for pid in listing.read_text(encoding="ascii").split()}


def nothing_left(out: Path) -> None:
    assert not of_series()
    assert not [path for path in out.rglob(".*") if path.name != ".running"], list(out.rglob(".*"))


@pytest.mark.parametrize(
    ("body", "limits", "told"),
    [
        ("import time; time.sleep(99)", series.Limits(timeout=2), "stopped after 2 seconds"),
        ("print('x' * 100_000_000)", series.Limits(), "printed more than 16 MB"),
        ("import os; os.system('yes | head -c 100000000')", series.Limits(), "printed more than 16 MB"),
        ("big = bytearray(3 << 30)", series.Limits(memory_mb=1024), "MemoryError"),
        ("import ctypes; ctypes.string_at(0)", series.Limits(), "SIGSEGV"),
        ("import os\nif os.fork():\n    os._exit(7)\nwhile True: pass", series.Limits(), "exit code 7"),
        ("raise SystemExit(3)", series.Limits(), "SystemExit: 3"),
    ],
)
def test_a_chapter_that_misbehaves_is_named_and_stops_no_other(
    small: Path, body: str, limits: series.Limits, told: str
) -> None:
    write_notebook("01_first", in_enid(body))
    made = tasks("enid-ok", "lima-oh")
    outcomes = series.run(made, 2, lambda task, outcome: None, lambda slug: None, limits)
    failed = outcomes["enid-ok"]["01_first"]
    assert told in failed.error and failed.cell == 3
    kept = nbformat.read(paths.reports("enid-ok", "chapters", "01_first.failed.ipynb"), 4)
    printed = [o.text for cell in kept.cells for o in cell.get("outputs", []) if o.output_type == "stream"]
    assert printed[0].startswith("begun"), "outputs so far are kept"
    assert all(outcome.error is None for outcome in outcomes["lima-oh"].values())
    assert outcomes["enid-ok"]["02_second"].error is None
    assert receipts.read("enid-ok")["chapters"]["01_first"]["cell"] == 3
    nothing_left(small)


def test_a_process_killed_from_outside_is_tried_again_once(small: Path) -> None:
    write_notebook("01_first", SLOW.format(1) + SMALL["01_first"])
    killed: list[int] = []

    def kill_first(task: plan.Task, outcome: object) -> None:
        if outcome is None and not killed:
            killed.append(0)

            def strike(*_: object) -> None:
                for pid in of_series():
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)

            signal.signal(signal.SIGALRM, strike)
            signal.setitimer(signal.ITIMER_REAL, 0.6)

    made = tasks("lima-oh")
    warm.shared().wait_until_ready() if not warm.shared().ready else None
    outcomes = series.run(made, 1, kill_first, lambda slug: None)
    assert len(killed) == 2 and all(outcome.error is None for outcome in outcomes["lima-oh"].values())
    nothing_left(small)


def test_wrong_code_is_not_tried_again(small: Path) -> None:
    write_notebook("01_first", "1 / 0")
    begun: list[str] = []
    series.run(
        tasks("lima-oh"), 1, lambda t, o: begun.append(t.chapter.name) if o is None else None, lambda s: None
    )
    assert begun == ["01_first", "02_second"]


def test_without_forks_it_says_why_and_keeps_its_word(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.SWITCH, "1")
    write_notebook("01_first", in_enid("import os; os._exit(3)"))
    said: list[str] = []
    outcomes = series.run(tasks("enid-ok"), 1, lambda t, o: None, lambda s: None, said=said.append)
    assert said == [f"Each chapter starts a kernel of its own: {warm.SWITCH} is set."]
    assert "process ended" in outcomes["enid-ok"]["01_first"].error
    assert outcomes["enid-ok"]["02_second"].error is None


@pytest.mark.parametrize("kind", [workers.Forked, workers.Spawned])
def test_both_kinds_of_workers_stop_what_takes_too_long(kind: type) -> None:
    crew = kind(timeout=1.5)
    crew.prepare()
    crew.start("slow", "time:sleep", (60,))
    ends = crew.wait()
    assert "stopped after 1.5 seconds" in ends["slow"].reason and not ends["slow"].lost
    crew.start("next", "operator:add", (1, 2))
    assert crew.wait()["next"].result == 3
    crew.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs to mount a file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "body",
    [
        "print('x' * 5_000_000)",
        "chapter.attach('big', 'bin', b'x' * 5_000_000)\nchapter.save()",
        "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x' * 5_000_000)",
    ],
    ids=["by what it prints", "by its findings", "by its temporary files"],
)
def test_a_chapter_that_fills_the_disk_is_named_and_stops_no_other(
    small: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setenv(paths.REPORTS, str(tiny_disk / "reports"))
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    ending = f"if region == 'enid-ok':\n{lines}else:\n    chapter.save()"
    write_notebook("01_first", SMALL["01_first"].replace("chapter.save()", ending))
    outcomes = series.run(tasks("enid-ok", "lima-oh"), 1, lambda t, o: None, lambda s: None)
    assert "No space left" in outcomes["enid-ok"]["01_first"].error
    assert all(outcome.error is None for outcome in outcomes["lima-oh"].values())
    assert outcomes["enid-ok"]["02_second"].error is None
    for path in (tiny_disk / "reports").rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    assert (
        not paths.ledger("enid-ok", "01_first").exists()
        and not paths.executed("enid-ok", "01_first").exists()
    )
    assert receipts.read("enid-ok")["chapters"]["01_first"]["status"] == "failed"
    nothing_left(tiny_disk)
    write_notebook("01_first", SMALL["01_first"])
    assert all(o.error is None for own in run(tasks("enid-ok", "lima-oh")).values() for o in own.values())


def test_two_runs_do_not_write_to_one_folder(small: Path) -> None:
    with leftovers.sole_writer(), pytest.raises(SectorbookError, match="Another run writes to"):
        run(tasks("lima-oh"))
    assert run(tasks("lima-oh"))


# -- a run of its own, to be killed -----------------------------------------------------------------------


def begin(small: Path, home: Path) -> subprocess.Popen:
    environment = {**os.environ, "SECTORBOOK_HOME": str(home), "SECTORBOOK_REPORTS": str(small)}
    command = [sys.executable, "-m", "sectorbook", "run", "lima-oh", "enid-ok", "--jobs", "2", "--log-json"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(going: subprocess.Popen, event: str) -> None:
    for line in going.stdout:
        if json.loads(line)["event"] == event:
            return
    pytest.fail(f"no {event}: {going.stderr.read()}")


def family(pid: int) -> set[int]:
    """A process and all below it."""
    found, new = {pid}, {pid}
    while new:
        below = set()
        for one in new:
            for listing in Path(f"/proc/{one}/task").glob("*/children"):
                below |= {int(child) for child in listing.read_text(encoding="ascii").split()}
        new = below - found
        found |= new
    return found


def gone(pids: set[int]) -> bool:
    for _ in range(100):
        states = [Path(f"/proc/{pid}/stat") for pid in pids]
        alive = [
            s
            for s in states
            if s.exists() and s.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
        ]
        if not alive:
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_once_finishes_what_runs_and_twice_stops_now(small: Path, home: Path) -> None:
    write_notebook("01_first", SLOW.format(1.5) + SMALL["01_first"])
    going = begin(small, home)
    until(going, "started")
    time.sleep(6)
    all_of_it = family(going.pid)
    going.send_signal(signal.SIGINT)
    out, err = going.communicate(timeout=30)
    assert going.returncode == 130 and "Run the same command again" in err, err
    assert '"done"' in out or [t.reason for t in tasks("lima-oh", "enid-ok")].count(None) >= 1
    assert gone(all_of_it)
    write_notebook("01_first", SLOW.format(60) + SMALL["01_first"])
    going = begin(small, home)
    until(going, "started")
    time.sleep(1)
    all_of_it = family(going.pid)
    began = time.monotonic()
    going.send_signal(signal.SIGINT)
    time.sleep(0.5)
    going.send_signal(signal.SIGINT)
    going.communicate(timeout=30)
    assert going.returncode == 130 and time.monotonic() - began < 20
    assert gone(all_of_it)


def strike(kind: str, runner: int, draw: random.Random) -> None:
    everyone = family(runner) - {runner}
    parents = {
        pid for pid in everyone if "runner.parent" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    }
    direct = {
        int(p) for p in Path(f"/proc/{runner}/task/{runner}/children").read_text(encoding="ascii").split()
    }
    chosen = {"runner": {runner}, "parent": parents & direct, "child": everyone - direct}[kind]
    if chosen:
        os.kill(draw.choice(sorted(chosen)), signal.SIGKILL)


def inject(count: int, seed: int, start: Callable[[], subprocess.Popen], settle: Callable[[], None]) -> int:
    """Kill something at a random moment, `count` times, resuming after each; return how many runs it took."""
    draw = random.Random(seed)
    struck = runs = 0
    while struck < count:
        going = start()
        runs += 1
        until(going, "started")
        while struck < count and going.poll() is None:
            try:
                going.wait(draw.uniform(0.2, 6))
            except subprocess.TimeoutExpired:
                everyone = family(going.pid)
                try:
                    strike(draw.choice(["runner", "parent", "child", "child"]), going.pid, draw)
                except (ProcessLookupError, FileNotFoundError):
                    continue
                struck += 1
                time.sleep(0.3)
                if going.poll() is not None:
                    assert gone(everyone), "an orphan"
        if struck >= count and going.poll() is None:
            going.wait(60)
        going.stdout.close(), going.stderr.close()
        settle()
    return runs


def test_random_kills_lose_nothing(small: Path, home: Path) -> None:
    write_notebook("01_first", SLOW.format(0.7) + SMALL["01_first"])
    expected = {}

    def settle() -> None:
        # What quotes a chapter that was lost is right again once the plan has nothing left to do for it.
        settled = {(t.region.slug, t.chapter.name) for t in tasks("lima-oh", "enid-ok") if not t.reason}
        for slug in ("lima-oh", "enid-ok"):
            for name, entry in receipts.read(slug).get("chapters", {}).items():
                ledger = paths.ledger(slug, name)
                if entry["status"] == "done" and ledger.exists():
                    content = ledger.read_text(encoding="utf-8")
                    json.loads(content)
                    nbformat.read(paths.executed(slug, name), 4)
                    if (slug, name) in settled:
                        assert expected.setdefault((slug, name), content) == content
                elif entry["status"] == "failed":
                    # A parent that is struck twice while it starts counts as two lost processes.
                    told = ("ended by", "lost", "parent did not start", "parent is gone")
                    assert any(text in entry["error"] for text in told), entry

    def settle_and_go_on() -> None:
        settle()
        if not any(task.reason for task in tasks("lima-oh", "enid-ok")):
            shutil.rmtree(small / "lima-oh")  # a run with nothing to do cannot be struck

    runs = inject(FAULTS, 7, lambda: begin(small, home), settle_and_go_on)
    sys.stdout.write(f"{FAULTS} faults in {runs} runs\n")
    outcomes = run(tasks("lima-oh", "enid-ok"))
    assert all(o.error is None for own in outcomes.values() for o in own.values())
    assert [task.reason for task in tasks("lima-oh", "enid-ok")] == [None] * 4
    settle()
    assert len(expected) == 4
    nothing_left(small)


def test_the_system_lists_children() -> None:
    child = subprocess.Popen(["sleep", "5"])
    assert child.pid in process.children()
    child.kill()
    child.wait()
