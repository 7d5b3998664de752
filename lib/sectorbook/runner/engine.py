"""The papermill engine `sectorbook`: each notebook in a forked child of a warm parent, without a kernel's sockets.

    papermill --engine sectorbook input.ipynb output.ipynb

Papermill loads this module while it is itself being imported, so everything heavy is imported on use.
"""

import signal
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

# Set in a forked child that runs a chapter: its cells run in this process, and each message goes to the journal.
here: Callable[[dict], None] | None = None

_OURS = ("kernel_manager_class", "km", "kernel_name", "start_timeout", "execution_timeout", "input_path")
_STOP_SECONDS = 5


class WarmEngine:
    """What papermill calls. Where no fork is safe, it says why and lets papermill's own engine do the work."""

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """Return the kernel a notebook names."""
        from papermill.utils import nb_kernel_name

        return nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """Return the language a notebook names."""
        from papermill.utils import nb_language

        return nb_language(nb, language)

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute `nb` and return it; see papermill's `Engine.execute_notebook`."""
        from papermill.engines import Engine, NBClientEngine
        from papermill.log import logger

        reason = None if here else _why_not(kernel_name)
        if reason:
            logger.warning("Running with a kernel of its own: %s.", reason)
            return NBClientEngine.execute_notebook(nb, kernel_name, **options)

        class Managed(Engine):
            @classmethod
            def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **given: Any) -> None:
                _execute(nb_man, **given)

        return Managed.execute_notebook(nb, kernel_name, **options)


def _why_not(kernel_name: str) -> str | None:
    """Return why the notebook cannot run in a forked child, or None."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    from sectorbook.runner import provisioner, warm

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel_name)
    except NoSuchKernel:
        return None
    if provisioner.kernel_arguments(spec.argv) is None:
        return f"the kernel {kernel_name} is not this Python"
    try:
        return warm.why_not() or (warm.shared() and None)
    except warm.Lost as problem:
        return str(problem)


def _execute(nb_man: Any, **given: Any) -> None:
    """Execute the cells of a managed notebook in a forked child, or in here when this is one."""
    from papermill.log import logger

    from sectorbook.runner import client, warm

    traits = {
        "timeout": given.get("execution_timeout") or given.get("timeout"),
        "log": logger,
        **{name: value for name, value in given.items() if name not in _OURS},
    }
    if here:
        here({"notebook": nb_man.nb})
        inline = client.Inline(here)

        def mark(cell: Any, cell_index: int) -> None:
            here({"cell": cell_index})

        client.WarmClient(nb_man, inline, on_cell_execute=mark, **traits).execute()
        return
    parent = warm.shared()
    ours, theirs = connection.Pipe()
    with theirs:
        ticket = parent.fork("cells", theirs.fileno())
    messages = client.Remote(ours, lambda: parent.signal(ticket, signal.SIGINT))
    patience = 0.0
    try:
        client.WarmClient(nb_man, messages, **traits).execute()
        patience = _STOP_SECONDS
    finally:
        ours.close()
        if parent.ended(ticket, patience) is None:
            parent.signal(ticket, signal.SIGKILL)
            parent.ended(ticket, _STOP_SECONDS)
