"""A kernel's application with its shell, made before the fork: each child would make the same, and slowly.

A chapter's shell takes it as it is. A kernel puts its sockets and its history to it.
"""

import atexit
import copy
import os
import re
import select
import sys
import types
from dataclasses import dataclass

from ipykernel import ipkernel
from ipykernel.compiler import XCachingCompiler
from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.application import BaseIPythonApplication
from traitlets.config.loader import Config, KVArgParseConfigLoader

# Where a shell finds its user's settings: one made before the fork serves the child that looks in the same places.
_PLACES = ("HOME", "USERPROFILE", "IPYTHONDIR", "XDG_CONFIG_HOME")
# What a notebook's client says of a history, which is made after the fork.
_LATER = re.compile(r"--HistoryManager\.\w+=")


@dataclass(frozen=True)
class _Made:
    """What was made before the fork: where settings were looked for, the application, its user's settings of the
    history, and the files of all modules."""

    places: list[str | None]
    app: IPKernelApp
    history: Config
    files: list[str]


_made: _Made | None = None


class Stream(OutStream):
    """A kernel's stream that wakes the thread which sends only when something was printed.

    A kernel flushes both streams twice a cell and more, and waits each time.
    """

    unsent = False

    def write(self, string: str) -> int | None:
        """Write to the stream; see `OutStream.write`."""
        self.unsent = True
        return super().write(string)

    def flush(self) -> None:
        """Send what was printed, by Python or past it to the file descriptor."""
        if self.unsent or (self._fid is not None and select.select([self._fid], [], [], 0)[0]):
            self.unsent = False
            super().flush()


def _places() -> list[str | None]:
    return [os.environ.get(name) for name in _PLACES]


def _make() -> tuple[IPKernelApp, Config]:
    """Return a kernel's application with its shell, without sockets or a history on disk, and the history's settings."""
    app = IPKernelApp.instance(log_level=40)
    # There is no command line; taking none apart costs 20 ms.
    app.parse_command_line = lambda argv: None
    BaseIPythonApplication.initialize(app, [])
    # Whatever its user's settings say: a history has a thread of its own, and nothing may fork with one.
    chosen = copy.deepcopy(app.config.HistoryManager)
    app.config.HistoryManager.enabled = False
    app.shell = ZMQInteractiveShell.instance(
        parent=app, profile_dir=app.profile_dir, compiler_class=XCachingCompiler
    )
    app.shell.displayhook.topic = b"execute_result"
    # Magics ask the application for its kernel; there is none, and no event loop of a window system.
    app.kernel = types.SimpleNamespace(shell=app.shell, eventloop=None)
    return app, chosen


def prepare() -> None:
    """Make the application before the fork. The formatters make themselves at first use."""
    global _made
    files = [file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    _made = _Made(_places(), *_make(), files)
    _made.app.shell.display_formatter.format("text")


def _forget() -> None:
    """Undo `prepare` in a child whose user's settings lie elsewhere, or that takes a whole command line."""
    global _made
    if _made:
        atexit.unregister(_made.app.shell.atexit_operations)
        ZMQInteractiveShell.clear_instance()
        IPKernelApp.clear_instance()
        _made = None


def application() -> IPKernelApp:
    """Return an application with a shell, for cells without a kernel."""
    if _made and _made.places != _places():
        _forget()
    return _made.app if _made else _make()[0]


def kernel(argv: list[str]) -> IPKernelApp:
    """Return the application of a kernel that listens, as the command line `argv` of `ipykernel_launcher` says."""
    plain = len(argv) > 1 and argv[0] == "-f" and all(map(_LATER.match, argv[2:]))
    if _made and (_made.places != _places() or not plain):
        _forget()
    # As when process 1 is the parent: nothing is said on the terminal, and nobody looks whether the parent lives: it
    # takes this process with it.
    if not _made:
        app = IPKernelApp.instance(parent_handle=1)
        app.initialize(argv)
        return app
    app, files = _made.app, _made.files
    app.parent_handle, app.connection_file = 1, argv[1]
    if app.outstream_class == IPKernelApp.outstream_class.default_value:
        app.outstream_class = f"{__name__}.{Stream.__name__}"
    app.load_config_file = lambda *_, **__: None  # it was read, and would be added to itself
    app.shell.config["HistoryManager"] = _made.history
    app.shell.config.merge(KVArgParseConfigLoader(argv[2:]).load_config())

    def init_kernel() -> None:
        # It lists the files of all modules, for its debugger. To look at each module copies the memory it lies in: 20 ms.
        ipkernel.sys = types.SimpleNamespace(modules={})
        try:
            IPKernelApp.init_kernel(app)
        finally:
            ipkernel.sys = sys
        app.kernel._kernel_modules = files
        if debugger := getattr(app.kernel, "debugger", None):
            debugger.kernel_modules = files
        shell = app.shell = app.kernel.shell
        shell.parent = shell.kernel = app.kernel
        shell.configurables.remove(shell.history_manager)
        shell.init_history()
        shell.init_user_ns()

    def init_code() -> None:
        # All that a kernel without a file to run needs; the rest copies the names of all modules, as `prepare` did.
        app._run_startup_files()
        app._run_exec_lines()
        app._run_exec_files()
        app.shell.user_ns_hidden.update(app.shell.user_ns)

    app.init_kernel, app.init_code = init_kernel, init_code
    app.initialize(argv)
    app.log_level = IPKernelApp.log_level.default_value
    return app
