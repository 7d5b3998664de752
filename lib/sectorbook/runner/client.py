"""A notebook client without a kernel's sockets: papermill's own, talking to a shell in a forked child, or in here.

Everything a notebook client decides (what is an error, time-outs, tags, clearing and updating outputs, times) stays
with papermill and nbclient; only the way messages travel is ours.
"""

import time
import types
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import connection
from queue import Empty
from typing import Any

import nbclient.client
import papermill.engines
from ipykernel.ipkernel import IPythonKernel
from nbformat import NotebookNode, from_dict
from papermill.clientwrap import PapermillNotebookClient

from sectorbook.runner import shell

SLICE_SECONDS = 0.2


@types.coroutine
def _pause() -> Generator[None, None, None]:
    """Let the event loop turn once."""
    yield


class _Channel:
    """One of a kernel client's channels: `get_msg` is all that a notebook client calls."""

    def __init__(self, get_msg: Callable) -> None:
        self.get_msg = get_msg


class _Messages:
    """A kernel client's face: `execute` sends a cell, the channels give what came back, in order."""

    def __init__(self) -> None:
        self.outputs: deque[dict] = deque()
        self.replies: deque[dict] = deque()
        self.shell_channel = _Channel(self._reply)
        self.iopub_channel = _Channel(self._output)
        self.count = 0
        self.parent: dict[str, str] = {}

    def _next(self) -> str:
        self.count += 1
        self.parent = {"msg_id": f"cell-{self.count}"}
        return self.parent["msg_id"]

    def take(self, message: dict[str, Any]) -> None:
        """Take in a message that a shell sent."""
        message["parent_header"] = self.parent
        (self.replies if message["msg_type"].endswith("_reply") else self.outputs).append(message)

    def kernel_info(self) -> str:
        """Answer as a kernel would that is asked what it is."""
        ticket = self._next()
        self.take(shell.message("kernel_info_reply", {"language_info": dict(IPythonKernel.language_info)}))
        return ticket

    async def _output(self, timeout: float | None = None) -> dict[str, Any]:
        while not self.outputs:
            await _pause()
        return self.outputs.popleft()

    async def _reply(self, timeout: float | None = None) -> dict[str, Any]:
        if not self.replies:
            raise Empty
        return self.replies.popleft()

    async def is_alive(self) -> bool:
        """Return whether cells can still be executed."""
        return True

    def stop(self) -> None:
        """Leave the shell."""


_KEPT = {
    "stream": ("name", "text"),
    "display_data": ("metadata", "data"),
    "execute_result": ("metadata", "data", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}


def _output(message: dict[str, Any]) -> NotebookNode:
    """Return a message's output. It is compared with the format once, when the notebook is written, not here again."""
    # In the header: there the client turns the update of a display into a display.
    kind = message["header"]["msg_type"]
    if kind not in _KEPT:
        raise ValueError(f"A message of the kind {kind!r} is no output.")
    return from_dict({"output_type": kind, **{name: message["content"][name] for name in _KEPT[kind]}})


class Inline(_Messages):
    """Executes cells in this process, which is a forked child of its own."""

    def __init__(self, journal: Callable[[dict], None]) -> None:
        super().__init__()
        nbclient.client.output_from_msg = _output
        # Papermill reads back times that it wrote itself, cell by cell, as if they could have any form.
        papermill.engines.dateutil = types.SimpleNamespace(
            parser=types.SimpleNamespace(parse=datetime.fromisoformat)
        )
        self.journal = journal
        self.shell = shell.Shell(self._sent)

    def _sent(self, message: dict[str, Any]) -> None:
        self.journal(message)
        self.take(message)

    async def execute(self, code: str, store_history: bool = True, **_: Any) -> str:
        """Execute a cell; when this returns, its outputs and its reply are there."""
        ticket = self._next()
        self.take(shell.message("execute_reply", await self.shell.execute_async(code, store_history)))
        return ticket


class Remote(_Messages):
    """Executes cells in a forked child at the other end of `link`."""

    def __init__(self, link: connection.Connection, interrupt: Callable[[], None]) -> None:
        super().__init__()
        self.link, self.interrupt = link, interrupt
        self.alive = True

    async def execute(self, code: str, store_history: bool = True, **_: Any) -> str:
        """Send a cell to the child."""
        ticket = self._next()
        self.link.send({"code": code, "store_history": store_history})
        return ticket

    async def _reply(self, timeout: float | None = None) -> dict[str, Any]:
        until = None if timeout is None else time.monotonic() + timeout
        while not self.replies:
            left = SLICE_SECONDS if until is None else min(SLICE_SECONDS, until - time.monotonic())
            if left < 0:
                raise Empty
            try:
                if self.link.poll(left):
                    self.take(self.link.recv())
            except (EOFError, OSError):
                # The notebook client looks once a second whether the kernel lives, and ends this wait itself.
                self.alive = False
                time.sleep(SLICE_SECONDS / 10)
            await _pause()
        return self.replies.popleft()

    async def is_alive(self) -> bool:
        """Return whether the child is still there."""
        return self.alive

    def stop(self) -> None:
        """Let the child end."""
        self.link.close()


class _Interrupter:
    """A kernel manager's face: all that a notebook client asks of it is to interrupt."""

    def __init__(self, messages: _Messages) -> None:
        self.messages = messages
        self.has_kernel = True

    async def interrupt_kernel(self) -> None:
        self.messages.interrupt()


class WarmClient(PapermillNotebookClient):
    """Papermill's notebook client over `messages`."""

    def __init__(self, nb_man: Any, messages: _Messages, **traits: Any) -> None:
        super().__init__(nb_man, **traits)
        self.messages = messages

    @contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        """Use the messages in place of a kernel."""
        self.kc, self.km = self.messages, _Interrupter(self.messages)
        try:
            yield
        finally:
            self.messages.stop()
            self.kc = self.km = None
