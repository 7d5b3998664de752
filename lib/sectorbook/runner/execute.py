"""One chapter in one region, executed by papermill in a fresh kernel."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How a chapter ended: seconds it took, and for a failure the cell and the message a reader understands."""

    chapter: str
    seconds: float
    error: str | None = None
    cell: int | None = None


def _message(name: str, value: str) -> str:
    """Return what to tell of an error in a cell: our own messages as they are, others with their kind."""
    return value if name == "SectorbookError" else f"{name}: {value}"


def _kernel_manager() -> str:
    """Return the class that starts kernels: over files of the user's own where the system has them, else TCP."""
    return (
        "jupyter_client.manager.AsyncKernelManager"
        if os.name == "nt"
        else "sectorbook.runner.kernels.FileKernelManager"
    )


def execute(source: str, target: str, ledger: str, parameters: dict[str, Any], reports: str) -> Outcome:
    """Run the notebook `source` with `parameters` and leave it, executed, at `target`.

    The chapter's old `ledger` goes first, so that nobody quotes numbers of an earlier run. The executed notebook
    takes its name only when every cell ran; a failed one is kept beside it as `<name>.failed.ipynb`. Never raises
    for what happens in a cell.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    os.environ["SECTORBOOK_REPORTS"] = reports
    started = time.perf_counter()
    final = Path(target)
    failed = final.with_suffix(".failed.ipynb")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        Path(ledger).unlink(missing_ok=True)
    except OSError as problem:
        return Outcome(final.stem, 0.0, f"Cannot write: {problem.strerror or problem}")
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".running.") as folder:
        working = Path(folder) / final.name
        error, cell = None, None
        try:
            papermill.execute_notebook(
                source,
                str(working),
                parameters=parameters,
                kernel_name="python3",
                language="python",
                kernel_manager_class=_kernel_manager(),
                shutdown_kernel="immediate",
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
            )
        except PapermillExecutionError as problem:
            error, cell = _message(problem.ename, problem.evalue), problem.cell_index
        except OSError as problem:
            error = f"Cannot write: {problem.strerror or problem}"
        except Exception as problem:  # noqa: BLE001 - one chapter's failure, of any kind, must not stop the others
            error = f"The chapter's process ended: {problem}"
        if error is None:
            working.replace(final)
        elif cell is not None:
            working.replace(failed)
        if not error:
            failed.unlink(missing_ok=True)
    return Outcome(final.stem, time.perf_counter() - started, error, cell)
