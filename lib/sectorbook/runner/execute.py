"""One chapter in one region, executed by papermill: in a fresh kernel, or in the forked child this process is."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sectorbook import chapters, paths
from sectorbook.errors import SectorbookError

OUTPUT_LIMIT_MB = 16
MESSAGE_LIMIT = 4000


@dataclass(frozen=True)
class Outcome:
    """How a chapter ended: seconds it took, and for a failure the cell and the message a reader understands.

    `cpu` is the processor seconds of its process, where that was measured.
    """

    chapter: str
    seconds: float
    error: str | None = None
    cell: int | None = None
    cpu: float | None = None


def _message(name: str, value: str, person_level: bool) -> str:
    """Return what to tell of an error in a cell: our own messages as they are, others with their kind.

    Of a chapter on people or firms only the kind: a library's message may hold a value of a person.
    """
    text = value if name == "SectorbookError" else f"{name}: {value}"
    if person_level and name != "SectorbookError":
        text = f"{name}. What it says stays in the failed notebook beside the region's local files."
    return text if len(text) <= MESSAGE_LIMIT else f"{text[:MESSAGE_LIMIT]} …"


def _kernel_manager() -> str:
    """Return the class that starts kernels: over files of the user's own where the system has them, else TCP."""
    return (
        "jupyter_client.manager.AsyncKernelManager"
        if os.name == "nt"
        else "sectorbook.runner.kernels.FileKernelManager"
    )


def _working(target: Path) -> Path:
    """Return the folder of what is not finished: the notebook, the journal, the chapter's temporary files."""
    return target.parent / f".running.{target.stem}"


def failed(target: Path) -> Path:
    """Return where the executed notebook of a failed chapter stands."""
    return target.with_suffix(".failed.ipynb")


class _Journal:
    """Writes down what a chapter's cells say as they say it, so that a killed process leaves it behind."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8")
        self.printed = 0

    def __call__(self, line: dict) -> None:
        kind = line.get("msg_type")
        if kind in ("status", "execute_input"):
            return
        if kind == "stream":
            self.printed += len(line["content"]["text"])
            if self.printed > OUTPUT_LIMIT_MB * 2**20:
                raise SectorbookError(
                    f"The chapter printed more than {OUTPUT_LIMIT_MB} MB. Print less, or write to a file."
                )
        kept = {"kind": kind, "content": line["content"]} if kind else line
        self.file.write(json.dumps(kept, ensure_ascii=False, default=str) + "\n")
        self.file.flush()


def salvage(target: Path, error: str) -> int | None:
    """Put together the notebook of a chapter whose process is gone, from its journal; return the cell it was in.

    The notebook goes beside `target` as a failed one, with `error` in the cell. None when no cell had begun.
    """
    journal = _working(target) / "journal"
    lines = []
    if journal.exists():
        for text in journal.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break  # the line that was being written
    cell = None
    if lines:
        notebook = lines[0]["notebook"]
        for line in lines[1:]:
            if "cell" in line:
                cell = line["cell"]
            elif cell is not None and line["kind"] in ("stream", "display_data", "execute_result", "error"):
                content = {key: value for key, value in line["content"].items() if key != "transient"}
                notebook["cells"][cell]["outputs"].append({"output_type": line["kind"], **content})
        if cell is not None:
            notebook["cells"][cell]["outputs"].append(
                {"output_type": "error", "ename": "Stopped", "evalue": error, "traceback": [error]}
            )
        with paths.write_atomic(failed(target)) as file:
            json.dump(notebook, file, indent=1, ensure_ascii=False)
    shutil.rmtree(_working(target), ignore_errors=True)
    return cell


def execute(
    source: str,
    target: str,
    ledger: str,
    parameters: dict[str, Any],
    reports: str,
    person_level: bool = False,
) -> Outcome:
    """Run the notebook `source` with `parameters` in a fresh kernel and leave it, executed, at `target`.

    The chapter's old `ledger` goes first, so that nobody quotes numbers of an earlier run. The executed notebook
    takes its name only when every cell ran; a failed one is kept beside it as `<name>.failed.ipynb`. Never raises
    for what happens in a cell. The message of a `person_level` chapter's failure tells of nobody.
    """
    options = {"kernel_manager_class": _kernel_manager(), "shutdown_kernel": "immediate"}
    return _run(source, Path(target), Path(ledger), parameters, reports, lambda folder: options, person_level)


def chapter(slug: str, name: str, parameters: dict[str, Any]) -> Outcome:
    """Run a chapter for the region `slug`, in a fresh kernel, from and to where `paths` says. See `execute`."""
    return execute(**_places(slug, name), parameters=parameters)


def chapter_here(slug: str, name: str, parameters: dict[str, Any]) -> Outcome:
    """Run a chapter as `chapter` does, but in this process. See `execute_here`."""
    return execute_here(**_places(slug, name), parameters=parameters)


def _places(slug: str, name: str) -> dict[str, Any]:
    (found,) = chapters.select(name)
    return {
        "source": str(found.path),
        "target": str(paths.executed(slug, name, found.person_level)),
        "ledger": str(paths.ledger(slug, name, found.person_level)),
        "reports": str(paths.reports()),
        "person_level": found.person_level,
    }


def execute_here(
    source: str,
    target: str,
    ledger: str,
    parameters: dict[str, Any],
    reports: str,
    person_level: bool = False,
) -> Outcome:
    """Run the notebook in this process, which must be a forked child made for it; otherwise as `execute`.

    What the chapter leaves in the temporary folder goes with the chapter.
    """
    from papermill.engines import papermill_engines

    from sectorbook.runner import engine

    def prepare(folder: Path) -> dict[str, Any]:
        scratch = folder / "tmp"
        scratch.mkdir()
        os.environ["TMPDIR"] = str(scratch)
        tempfile.tempdir = None
        engine.here = _Journal(folder / "journal")
        papermill_engines.register("sectorbook", engine.WarmEngine)
        return {"engine_name": "sectorbook"}

    return _run(source, Path(target), Path(ledger), parameters, reports, prepare, person_level)


def _run(
    source: str,
    final: Path,
    ledger: Path,
    parameters: dict[str, Any],
    reports: str,
    prepare: Callable,
    person_level: bool,
) -> Outcome:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    os.environ["SECTORBOOK_REPORTS"] = reports
    started = time.perf_counter()
    folder = _working(final)
    working = folder / final.name
    error, cell = None, None
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        ledger.unlink(missing_ok=True)
        papermill.execute_notebook(
            source,
            str(working),
            parameters=parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            log_output=False,
            request_save_on_cell_execute=False,
            **prepare(folder),
        )
    except PapermillExecutionError as problem:
        error, cell = _message(problem.ename, problem.evalue, person_level), problem.cell_index
    except SectorbookError as problem:
        error = str(problem)
    except OSError as problem:
        error = f"Cannot write: {problem.strerror or problem}"
    except Exception as problem:  # noqa: BLE001 - one chapter's failure, of any kind, must not stop the others
        told = type(problem).__name__ if person_level else problem
        error = f"The chapter's process ended: {told}"
    try:
        if error is None:
            working.replace(final)
        elif cell is not None:
            working.replace(failed(final))
        else:
            cell = salvage(final, error)
        if not error:
            failed(final).unlink(missing_ok=True)
    except (OSError, SectorbookError) as problem:
        error = error or f"Cannot write: {problem}"
    shutil.rmtree(folder, ignore_errors=True)
    return Outcome(final.stem, time.perf_counter() - started, error, cell)
