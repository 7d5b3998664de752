"""What a forked child can be asked to do: call one of our functions, run cells for a notebook client, be a kernel."""

import atexit
import importlib
import os
import random
import resource
import sys
import tempfile
import time
from multiprocessing import connection
from typing import Any

from sectorbook.runner import preload


def _become_fresh(message: dict[str, Any], stamp: tuple | None) -> None:
    """Take the asker's environment and folder; let nothing that was drawn or looked up before the fork show."""
    os.environ.clear()
    os.environ.update(message["environment"])
    os.environ.setdefault("MPLBACKEND", preload.BACKEND)
    os.chdir(message["cwd"])
    os.umask(message["umask"])
    time.tzset()
    tempfile.tempdir = None
    random.seed()
    import matplotlib as mpl
    import numpy as np

    np.random.seed()
    mpl.rcParams["backend"] = os.environ["MPLBACKEND"]
    preload.forget_if_changed(stamp)
    if limit := message.get("memory_mb"):
        resource.setrlimit(resource.RLIMIT_DATA, (limit * 2**20, limit * 2**20))


def _call(message: dict[str, Any], answer: connection.Connection) -> int:
    """Call `module:function` and send back what it returns."""
    module, _, name = message["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    answer.send(function(*message["arguments"]))
    return 0


def _cells(message: dict[str, Any], client: connection.Connection) -> int:
    """Execute the cells that a notebook client sends, until it closes."""
    from sectorbook.runner.shell import Shell

    shell = Shell(client.send)
    while True:
        try:
            request = client.recv()
        except EOFError:
            return 0
        client.send(shell.execute(**request))


def _kernel(message: dict[str, Any]) -> int:
    """Be a kernel, as the command line of `ipykernel_launcher` says."""
    from sectorbook.runner import ready

    sys.argv = ["ipykernel_launcher.py", *message["argv"]]
    ready.kernel(message["argv"]).start()
    atexit._run_exitfuncs()
    return 0


def do(message: dict[str, Any], handles: list[int], stamp: tuple | None) -> int:
    """Do the job of `message` in this forked child and return its exit code."""
    _become_fresh(message, stamp)
    if message["job"] == "kernel":
        return _kernel(message)
    with connection.Connection(handles[0]) as answer:
        return _call(message, answer) if message["job"] == "call" else _cells(message, answer)
