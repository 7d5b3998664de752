"""One way of running the same notebooks, in a process of its own: `arms.py WAY FOLDER CHAPTERS REGION…`.

Prints one JSON line: what the way itself measured. The caller measures processor time and memory from outside.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from sectorbook import chapters, paths, warehouse
from sectorbook.runner import door, far, plan, series, warm

KERNELS = {
    "kernel_manager_class": "sectorbook.runner.kernels.FileKernelManager",
    "shutdown_kernel": "immediate",
}


def target(slug: str, name: str) -> str:
    """Return where an executed notebook goes."""
    path = paths.executed(slug, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


def waves(tasks: list[plan.Task]) -> list[list[plan.Task]]:
    """Return the tasks that stand alone, then those that quote others."""
    return [[task for task in tasks if bool(task.after) is late] for late in (False, True)]


def papermill_once(source: str, out: str, parameters: dict, options: dict) -> None:
    """Run one notebook with papermill in this process."""
    import papermill

    papermill.execute_notebook(
        source, out, parameters=parameters, kernel_name="python3", progress_bar=False,
        request_save_on_cell_execute=False, **options,
    )  # fmt: skip


def command_loop(tasks: list[plan.Task]) -> None:
    """a: the papermill command, once a notebook."""
    for task in [task for wave in waves(tasks) for task in wave]:
        command = [
            sys.executable,
            "-m",
            "papermill",
            "--no-progress-bar",
            "-k",
            "python3",
            str(task.chapter.path),
        ]
        command.append(target(task.region.slug, task.chapter.name))
        for name, value in task.parameters.items():
            command += ["-r", name, str(value)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def pool(tasks: list[plan.Task], options: dict) -> None:
    """c, r, z: papermill in a pool of two processes."""
    with ProcessPoolExecutor(2, get_context("spawn")) as workers:
        for wave in waves(tasks):
            ended = [
                workers.submit(
                    papermill_once,
                    str(t.chapter.path),
                    target(t.region.slug, t.chapter.name),
                    t.parameters,
                    options,
                )
                for t in wave
            ]
            for future in ended:
                future.result()


def ploomber(tasks: list[plan.Task]) -> None:
    """d: ploomber-engine, one process, nothing isolated."""
    from ploomber_engine import execute_notebook

    for task in [task for wave in waves(tasks) for task in wave]:
        execute_notebook(
            str(task.chapter.path), target(task.region.slug, task.chapter.name), parameters=task.parameters,
            log_output=False, progress_bar=False,
        )  # fmt: skip


def ours(tasks: list[plan.Task], jobs: int | None, cluster: far.Cluster | None = None) -> None:
    """e: our runner, without the reports."""
    outcomes = series.run(tasks, jobs, lambda task, outcome: None, lambda slug: None, cluster=cluster)
    wrong = [outcome for own in outcomes.values() for outcome in own.values() if outcome.error]
    if wrong:
        raise SystemExit(str(wrong))


def on_a_cluster(tasks: list[plan.Task]) -> None:
    """f2: our runner on a Dask cluster of two workers on this machine, a thread each."""
    from distributed import LocalCluster

    with LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        ours(tasks, None, far.Cluster(cluster.scheduler_address))


def cells(tasks: list[plan.Task]) -> None:
    """g: the cells alone, one after the other in one shell."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    for task in [task for wave in waves(tasks) for task in wave]:
        book = json.loads(task.chapter.path.read_text(encoding="utf-8"))
        given = "\n".join(f"{name} = {value!r}" for name, value in task.parameters.items())
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                added = f"\n{given}" if "parameters" in cell["metadata"].get("tags", []) else ""
                with capture_output():
                    shell.run_cell("".join(cell["source"]) + added).raise_error()


def main(way: str, folder: str, chosen: str, regions: list[str]) -> None:
    """Run `way` and print what it measured."""
    os.environ["SECTORBOOK_REPORTS"] = folder
    tasks = plan.make(
        [warehouse.find_region(region) for region in regions],
        chapters.select(None if chosen == "all" else chosen),
        {},
        None,
    )
    once = 0.0
    began = time.perf_counter()
    if way == "a":
        command_loop(tasks)
    elif way == "c":
        pool(tasks, KERNELS)
    elif way == "d":
        ploomber(tasks)
    elif way in ("z", "r"):
        with door.environment() as surroundings:
            os.environ.update(surroundings)
            pool(tasks, KERNELS if way == "z" else {"engine_name": "sectorbook"})
    elif way in ("e1", "e2"):
        ours(tasks, int(way[1]))
    elif way == "f2":
        on_a_cluster(tasks)
    elif way == "start":
        parent = warm.start()
        parent.wait_until_ready()
        parent.close()
    elif way == "g":
        os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        first = [task for task in tasks if task.region.slug == tasks[0].region.slug]
        before = time.process_time()
        cells(first)
        once = time.process_time() - before
        began = time.perf_counter()
        cells([task for task in tasks if task not in first])
    wall = time.perf_counter() - began
    sys.stdout.write(json.dumps({"wall": wall, "once": once, "notebooks": len(tasks)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], [r for r in sys.argv[4:] if not Path(r).exists()])
