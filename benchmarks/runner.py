"""The same chapters in the same regions, run in several ways side by side: `make bench`.

Every round runs every way once, in an order that turns, so that a busy machine weighs on all alike. What is compared
are ratios within a round; the medians over the rounds are written to docs/performance.md.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

from sectorbook import warehouse

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WAYS = {
    "g": "the floor: the same cells in one warm process, nothing isolated, nothing written",
    "e1": "Sectorbook's runner, 1 at a time",
    "e2": "Sectorbook's runner, 2 at a time",
    "r": "papermill in a pool of 2, engine `sectorbook`",
    "z": "stock papermill in a pool of 2, provisioner `sectorbook-warm`",
    "d": "ploomber-engine, 1 process, nothing isolated",
    "c": "stock papermill in a pool of 2",
    "a": "a loop of the papermill command",
}
WARM = ("e1", "e2", "r", "z")


def family(pid: int) -> set[int]:
    """Return a process and all below it."""
    everyone, new = {pid}, {pid}
    while new:
        below = set()
        for one in new:
            for listing in Path(f"/proc/{one}/task").glob("*/children"):
                try:
                    below |= {int(child) for child in listing.read_text(encoding="ascii").split()}
                except OSError:
                    continue
        new = below - everyone
        everyone |= new
    return everyone


def pss_mb(pid: int) -> float:
    """Return the memory of a process and all below it, shared pages divided among those that share them.

    0 when one began or ended meanwhile: pages would then be counted whole in one process and in part in another.
    """
    total = 0
    everyone = family(pid)
    for one in everyone:
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            return 0.0
    return total / 1024 if family(pid) == everyone else 0.0


def doors(folder: Path) -> dict[str, str]:
    """Return what makes stock tools see our entry points, where the package was installed before they were written."""
    if "sectorbook" in importlib.metadata.entry_points(group="papermill.engine").names:
        return {}
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    info = folder / "doors-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: doors\nVersion: 0\n", encoding="utf-8")
    lines = [
        f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in own.items()) for group, own in written.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(folder)])}


def measure(way: str, regions: list[str], chosen: str, extra: dict[str, str]) -> dict[str, float]:
    """Run one way once and return CPU seconds, wall seconds and peak memory (MB), all processes together."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, str(HERE / "arms.py"), way, folder, chosen, *regions]
        environment = {**os.environ, **extra, "PLOOMBER_STATS_ENABLED": "false"}
        with tempfile.TemporaryFile("w+") as errors:
            going = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
            )
            peak, over = [0.0], threading.Event()

            def watch() -> None:
                pause = 0.2
                while not over.wait(pause):
                    began = time.monotonic()
                    peak[0] = max(peak[0], pss_mb(going.pid))
                    # To look stops the processes that are looked at; so it is done a twentieth of the time.
                    pause = max(0.2, 20 * (time.monotonic() - began))

            watcher = threading.Thread(target=watch)
            watcher.start()
            out, _ = going.communicate()
            over.set()
            watcher.join()
            if going.returncode:
                errors.seek(0)
                raise SystemExit(f"{way} failed:\n{errors.read()[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(out.strip().splitlines()[-1])
    return {"cpu": cpu, "wall": told["wall"], "pss": peak[0], "once": told["once"], "n": told["notebooks"]}


def middle(rounds: list[dict[str, dict[str, float]]], way: str, what: str) -> float:
    """Return the median of one measure of a way."""
    return statistics.median(one[way][what] for one in rounds)


def ratio(rounds: list[dict[str, dict[str, float]]], way: str, other: str, what: str) -> float:
    """Return the median of the ratios within the rounds."""
    return statistics.median(one[way][what] / one[other][what] for one in rounds)


def one_round(ways: list[str], regions: list[str], chosen: str, extra: dict[str, str]) -> dict:
    """Run every way once; per notebook, with and without what is done only once (imports of a warm process)."""
    base = measure("none", regions[:1], chosen, extra)
    start = measure("start", regions[:1], chosen, extra)
    found = {}
    for way in ways:
        told = measure(way, regions, chosen, extra)
        count = told["n"]
        once = start["cpu"] - base["cpu"] if way in WARM else 0.0
        if way == "g":
            first = told["once"]
            count -= told["n"] / len(regions)
            once = first
        lone = told["cpu"] - base["cpu"] - once
        found[way] = {
            "cpu": (told["cpu"] - base["cpu"]) / told["n"],
            "each": lone / count,
            "wall": told["wall"] / count,
            "pss": told["pss"],
        }
        sys.stderr.write(f"{way}: {json.dumps({k: round(v, 3) for k, v in found[way].items()})}\n")
    found["start"] = {"cpu": start["cpu"] - base["cpu"]}
    return found


def table(rounds: list[dict], ways: list[str]) -> list[str]:
    """Return the table of medians and of the ratios within the rounds."""
    lines = [
        "| Way | CPU s each | with start-up | wall s each | peak MB (PSS) | CPU × floor | CPU × (c) | wall × (c) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for way in ways:
        figures = [f"{middle(rounds, way, what):.2f}" for what in ("each", "cpu", "wall")]
        figures.append(f"{middle(rounds, way, 'pss'):.0f}")
        for other, what in (("g", "each"), ("c", "each"), ("c", "wall")):
            figures.append(f"{ratio(rounds, way, other, what):.2f}" if other in ways else "–")
        lines.append(f"| {way}: {WAYS[way]} | " + " | ".join(figures) + " |")
    return lines


def growth(counts: list[int], slugs: list[str], chosen: str, extra: dict[str, str]) -> list[str]:
    """Return how CPU, wall and memory grow with the number of regions, with 2 workers."""
    lines = [
        "| Regions | notebooks | CPU s each | wall s each | peak MB (PSS) |",
        "|---:|---:|---:|---:|---:|",
    ]
    start = measure("start", slugs[:1], chosen, extra)
    told_of = []
    for count in counts:
        told = measure("e2", slugs[:count], chosen, extra)
        lines.append(
            f"| {count} | {told['n']:.0f} | {told['cpu'] / told['n']:.2f} | {told['wall'] / told['n']:.2f} | {told['pss']:.0f} |"
        )
        sys.stderr.write(lines[-1] + "\n")
        told_of.append(told)
    first, last = told_of[0], told_of[-1]
    each = [(told["cpu"] - start["cpu"]) / told["n"] for told in (first, last)]
    return [
        *lines, "",
        f"From {counts[0]} to {counts[-1]} regions: CPU per notebook without the start × {each[1] / each[0]:.2f}, "
        f"peak memory × {last['pss'] / first['pss']:.2f}.",
    ]  # fmt: skip


def cluster(count: int, rounds: int, slugs: list[str], chosen: str, extra: dict[str, str]) -> list[str]:
    """Return what a Dask cluster of two workers on this machine costs beside two local ones.

    Each way runs a few regions and all of them: the difference is what notebooks cost, what is left is the start.
    """
    few = max(count // 5, 1)
    found: dict[str, list[tuple[float, ...]]] = {"e2": [], "f2": []}
    for turn in range(rounds):
        for way in list(found)[:: 1 if turn % 2 else -1]:
            small, large = (measure(way, slugs[:n], chosen, extra) for n in (few, count))
            more = large["n"] - small["n"]
            each = [(large[what] - small[what]) / more for what in ("cpu", "wall")]
            found[way].append((*each, small["wall"] - each[1] * small["n"], large["pss"]))
            sys.stderr.write(f"{way}: {found[way][-1]}\n")
    names = {"e2": WAYS["e2"], "f2": "the same chapters on a Dask cluster of 2 workers"}
    lines = [
        "| Way | CPU s each | wall s each | start, wall s | peak MB (PSS) |",
        "|---|---:|---:|---:|---:|",
    ]
    for way, own in found.items():
        figures = [statistics.median(one[place] for one in own) for place in range(4)]
        lines.append(
            f"| {way}: {names[way]} | {figures[0]:.2f} | {figures[1]:.2f} | {figures[2]:.1f} | {figures[3]:.0f} |"
        )
    for what, place in (("CPU", 0), ("wall", 1)):
        over = [far[place] - near[place] for near, far in zip(found["e2"], found["f2"], strict=True)]
        lines += ["", f"Dask's part of a notebook, {what}: {1000 * statistics.median(over):.0f} ms."]
    return lines


def main() -> None:
    """Read the options, run the rounds, write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--regions", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--chapters", default="all")
    options.add_argument("--ways", default=",".join(WAYS))
    options.add_argument("--growth", default="", help="numbers of regions, with commas, as in 10,100,500")
    options.add_argument("--cluster", type=int, default=0, help="number of regions to run on a Dask cluster")
    options.add_argument(
        "--long", default="", help="chapters of the growth and the cluster, where not those of the rest"
    )
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "performance.md")
    options.add_argument("--quick", action="store_true", help="a few minutes; what it finds is printed only")
    given = options.parse_args()
    if given.quick:
        options.set_defaults(
            regions=4, rounds=3, chapters="00,04,06,12", ways="g,e1,e2", growth="2,8", cluster=5, out=None
        )
        given = options.parse_args()
    # Metropolitan areas first, then what else the release has: there are not 500 of the former.
    areas = sorted(warehouse.regions(), key=lambda region: region.kind != "metropolitan")
    slugs = [region.slug for region in areas if region.kind != "nation"]
    ways = [way for way in given.ways.split(",") if way]
    skipped = []
    if "d" in ways and importlib.util.find_spec("ploomber_engine") is None:
        ways.remove("d")
        skipped.append("(d) was left out: ploomber-engine is not installed here.")
    if given.regions < 2:
        raise SystemExit("Two regions at least: the floor warms up on the first one.")
    with tempfile.TemporaryDirectory() as folder:
        extra = doors(Path(folder))
        rounds = []
        for place in range(given.rounds):
            turned = ways[place % len(ways) :] + ways[: place % len(ways)] if ways else []
            if ways:
                rounds.append(one_round(turned, slugs[: given.regions], given.chapters, extra))
        grown = [int(count) for count in given.growth.split(",") if count]
        if too_many := [count for count in grown if count > len(slugs)]:
            raise SystemExit(f"There are {len(slugs)} regions, not {too_many[0]}.")
        long = given.long or given.chapters
        curve = growth(grown, slugs, long, extra) if grown else []
        far = cluster(given.cluster, max(given.rounds, 1), slugs, long, extra) if given.cluster else []
    cores = len(os.sched_getaffinity(0))
    page = [
        "# What a run costs",
        "",
        "Written by `make bench` (`benchmarks/runner.py`). Absolute times are of one machine on one day; the ratios within a",
        "round are what is compared. “Each” leaves out what is done once in a run: the imports of the warm parent, and the",
        "floor's first region. The pools and ploomber-engine carry the imports of their own processes; with few notebooks those",
        "weigh on them.",
        "",
        f"{given.regions} regions, chapters: {given.chapters}, {len(rounds)} rounds, {cores} cores, Python "
        f"{platform.python_version()}, load average at the end {os.getloadavg()[1]:.1f}.",
        "",
    ]
    if rounds:
        page += table(rounds, ways)
        page += ["", f"Start of the warm parent, once: {middle(rounds, 'start', 'cpu'):.1f} CPU seconds."]
    page += ["", *skipped] if skipped else []
    if curve:
        page += ["", f"## Growth, 2 at a time, chapters: {long}", "", *curve]
    if far:
        page += ["", f"## On a Dask cluster, chapters: {long}", "", *far]
    if given.out:
        given.out.write_text("\n".join(page) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
