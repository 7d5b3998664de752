"""Cells in an IPython shell of this very process, saying what a kernel would say, without a kernel's sockets.

The shell is ipykernel's own; only its session is replaced by one that hands each message to a function.
"""

import builtins
import codecs
import ctypes
import io
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from IPython.core.error import StdinNotImplementedError
from jupyter_client.session import Session

from sectorbook.runner import ready

Send = Callable[[dict[str, Any]], None]
CHUNK = 1 << 16


class _Session(Session):
    """Hands messages on as plain dictionaries."""

    def __init__(self, send: Send, **traits: Any) -> None:
        super().__init__(**traits)
        self.hand_on = send

    def msg(self, msg_type: str, content: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        return message(msg_type, content or {})

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        made = msg_or_type if isinstance(msg_or_type, dict) else message(msg_or_type, content or {})
        self.hand_on(made)
        return made


def message(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return a kernel's message of one kind, as a notebook client reads it."""
    return {
        "msg_type": kind, "header": {"msg_type": kind, "date": datetime.now(UTC)}, "parent_header": {},
        "metadata": {}, "content": content, "buffers": [],
    }  # fmt: skip


class _Stream(io.TextIOBase):
    """What a cell prints to: text is collected and sent as one message until something else is shown."""

    encoding = "UTF-8"

    def __init__(self, name: str, send: Send) -> None:
        self.name, self.send = name, send
        self.parts: list[str] = []
        self.size = 0
        self.other: _Stream | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if self.other and self.other.parts:
            self.other.flush()
        self.parts.append(text)
        self.size += len(text)
        if self.size > CHUNK:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.parts:
            text, self.parts, self.size = "".join(self.parts), [], 0
            self.send(message("stream", {"name": self.name, "text": text}))


class _Descriptors:
    """Catches what goes past Python to file descriptors 1 and 2: C libraries and subprocesses."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None)
        self.files = {}
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            self.files[name] = os.memfd_create(name)
            os.dup2(self.files[name], descriptor)

    def drain(self, streams: dict[str, _Stream]) -> None:
        """Send on what has come since the last time."""
        self.libc.fflush(None)
        for name, file in self.files.items():
            size = os.lseek(file, 0, os.SEEK_CUR)
            if size:
                decoder = codecs.getincrementaldecoder("utf-8")("replace")
                for offset in range(0, size, CHUNK * 16):
                    streams[name].write(decoder.decode(os.pread(file, CHUNK * 16, offset)))
                os.ftruncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)


def _no_input(*_: Any, **__: Any) -> str:
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


class Shell:
    """One chapter's shell. `send` takes each message: streams, displays, results, errors."""

    def __init__(self, send: Send) -> None:
        self.send = send
        sys.argv = ["ipykernel_launcher.py", "-f", os.devnull]
        app = ready.application()
        app.shell.configurables.append(app)
        self.streams = {name: _Stream(name, send) for name in ("stdout", "stderr")}
        self.streams["stdout"].other, self.streams["stderr"].other = (
            self.streams["stderr"],
            self.streams["stdout"],
        )
        self.descriptors = _Descriptors()
        self.ip = app.shell
        self.ip.starting_dir = str(Path.cwd())
        self.ip.user_ns["_dh"][:] = [Path.cwd()]
        self.ip.displayhook.session = self.ip.display_pub.session = _Session(send)
        builtins.input = _no_input
        import getpass

        getpass.getpass = _no_input
        app.init_path()
        app.init_gui_pylab()
        app.init_extensions()
        # All of `init_code` that a kernel without a command line needs; the rest copies the names of all modules.
        app._run_startup_files()
        app._run_exec_lines()
        app._run_exec_files()
        self.ip.user_ns_hidden.update(self.ip.user_ns)

    async def execute_async(self, code: str, store_history: bool = True, **_: Any) -> dict[str, Any]:
        """Run one cell, sending its outputs, and return the content of a kernel's reply."""
        shell = self.ip
        self.send(message("status", {"execution_state": "busy"}))
        self.send(message("execute_input", {"code": code, "execution_count": shell.execution_count}))
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.streams["stdout"], self.streams["stderr"]
        try:
            transformed, problem = code, None
            try:
                transformed = shell.transform_cell(code)
            except Exception:  # noqa: BLE001 - the shell reports it as the cell's own error, as a kernel does
                problem = sys.exc_info()
            # A kernel first asks whether the cell awaits something, which compiles it once more; this serves both kinds.
            shell._last_traceback, shell._last_traceback_during_displayhook = None, False
            result = None
            try:
                result = await shell.run_cell_async(
                    code, store_history=store_history, transformed_cell=transformed, preprocessing_exc_tuple=problem
                )  # fmt: skip
            finally:
                shell.events.trigger("post_execute")
                shell.events.trigger("post_run_cell", result)
        finally:
            for stream in self.streams.values():
                stream.flush()
            self.descriptors.drain(self.streams)
            for stream in self.streams.values():
                stream.flush()
            sys.stdout, sys.stderr = before
        shell.payload_manager.clear_payload()
        error = result.error_before_exec or result.error_in_exec
        content: dict[str, Any] = {"status": "ok", "execution_count": shell.execution_count - 1}
        if not result.success or shell._last_traceback_during_displayhook:
            content |= {
                "status": "error", "ename": type(error).__name__, "evalue": str(error),
                "traceback": shell._last_traceback or [],
            }  # fmt: skip
        self.send(message("status", {"execution_state": "idle"}))
        return content

    def execute(self, code: str, store_history: bool = True, **options: Any) -> dict[str, Any]:
        """Run one cell outside an event loop of the caller's; as `execute_async`."""
        from jupyter_core.utils import run_sync

        return message("execute_reply", run_sync(self.execute_async)(code, store_history, **options))
