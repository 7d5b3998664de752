"""The way to the warm parent: start one or join one, have it fork, hear how the children end.

Where a fork is not safe, `why_not` says why, and the callers run notebooks the stock way.
"""

import atexit
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection, reduction
from pathlib import Path
from typing import Any

from sectorbook.runner import preload

ADDRESS = "SECTORBOOK_WARM"  # "name:key" of a parent that other processes of the same user may join
SWITCH = "SECTORBOOK_NO_WARM"
START_SECONDS = 120


class Lost(Exception):
    """The warm parent, or a child of it, is gone or could not be had."""


def why_not() -> str | None:
    """Return why no child can be forked here, or None when one can."""
    if os.environ.get(SWITCH):
        return f"{SWITCH} is set"
    if sys.platform != "linux":
        return f"a process with its libraries loaded is not forked on {sys.platform}"
    if not hasattr(os, "pidfd_open"):
        return "this Python cannot watch processes by handle"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return "this Linux cannot watch processes by handle"
    return None


def environment() -> dict[str, str]:
    """Return the environment a child is to have: this process's, without the address of the parent."""
    return {name: value for name, value in os.environ.items() if name != ADDRESS}


@dataclass
class Ended:
    """How a child ended: its exit code (negative: killed by that signal), CPU seconds and peak memory."""

    code: int
    cpu: float
    peak_kb: int


@dataclass
class Warm:
    """A connection to a warm parent. `process` is the parent when this connection owns it."""

    link: connection.Connection
    process: subprocess.Popen | None = None
    address: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    pids: dict[int, int] = field(default_factory=dict)
    ends: dict[int, Ended] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    dead: bool = False
    ready: bool = True
    _last: int = 0

    def fork(self, job: str, *handles: int, **message: Any) -> int:
        """Ask for a child that does `job`, with `handles` of ours passed on; return the ticket of it.

        Raises Lost when the parent is gone or refuses.
        """
        with self.lock:
            if not self.ready:
                self.wait_until_ready()
            self._last += 1
            ticket = self._last
            self._send(
                {
                    "do": "fork", "job": job, "ticket": ticket, "handles": len(handles), "umask": _umask(),
                    "environment": environment(), "cwd": str(Path.cwd()), **message,
                },
                handles,
            )  # fmt: skip
            self._until(lambda: ticket in self.pids or ticket in self.refusals)
            if ticket in self.refusals:
                raise Lost(f"The warm parent did not fork: {self.refusals.pop(ticket)}.")
            return ticket

    def _send(self, message: dict[str, Any], handles: tuple[int, ...] = ()) -> None:
        try:
            self.link.send(message)
            for handle in handles:
                reduction.send_handle(self.link, handle, None)
        except OSError as error:
            self.dead = True
            raise Lost("The warm parent is gone.") from error

    def _until(self, met: Callable[[], bool]) -> None:
        while not met():
            if self.dead:
                raise Lost("The warm parent is gone.")
            self.hear(None)

    def hear(self, timeout: float | None = 0) -> None:
        """Take in what the parent said, waiting up to `timeout` seconds for the first word of it."""
        with self.lock:
            while not self.dead:
                try:
                    if not self.link.poll(timeout):
                        return
                    kind, ticket, *rest = self.link.recv()
                except (EOFError, OSError):
                    self.dead = True
                    return
                if kind == "forked":
                    self.pids[ticket] = rest[0]
                elif kind == "ended":
                    self.ends[ticket] = Ended(rest[0], **rest[1])
                elif kind == "refused":
                    self.refusals[ticket] = rest[0]
                timeout = 0

    def signal(self, ticket: int, number: int) -> None:
        """Send a signal to a child and its process group."""
        with self.lock:
            if ticket not in self.ends and not self.dead:
                self._send({"do": "signal", "pid": self.pids[ticket], "signal": number})

    def ended(self, ticket: int, timeout: float | None = 0) -> Ended | None:
        """Return how a child ended, waiting up to `timeout` seconds; None while it runs.

        Raises Lost when the parent went and with it the child.
        """
        if ticket not in self.ends:
            self.hear(timeout)
        if ticket not in self.ends and self.dead:
            raise Lost("The warm parent is gone.")
        return self.ends.get(ticket)

    def wait_until_ready(self) -> None:
        """Wait until a parent of our own has imported everything. Raises Lost when it does not come up."""
        try:
            self.ready = self.link.poll(START_SECONDS) and self.link.recv()[0] == "ready"
        except (EOFError, OSError):
            self.ready = False
        if not self.ready:
            self.process.kill()
            self.close()
            raise Lost("The warm parent did not start.")

    def close(self) -> None:
        """Leave the parent; one that is ours ends, with all its children."""
        self.link.close()
        self.dead = True
        if self.process:
            self.process.wait()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# The debugger warns on the terminal of frozen modules, of which it sees no lines. And nothing is imported from the
# folder this stands in; the option -P would keep it from the chapters too.
_AS_JUPYTER_STARTS = ("-X", "frozen_modules=off", "-c")
_CODE = (
    "import sys; sys.path[:1] == [''] and sys.path.pop(0); "
    "from sectorbook.runner.parent import main; main(int(sys.argv[1]))"
)


def start(surroundings: dict[str, str] | None = None) -> Warm:
    """Start a warm parent of our own and return the connection to it. It ends when this process does.

    `surroundings` are variables of its environment in place of this process's own.
    """
    ours, theirs = connection.Pipe()
    name, key = f"sectorbook-{secrets.token_hex(8)}", secrets.token_bytes(16)
    process = subprocess.Popen(
        [sys.executable, *_AS_JUPYTER_STARTS, _CODE, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env={**environment(), **(surroundings or {}), **preload.SINGLE_THREADED},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()
    ours.send((name, key))
    return Warm(ours, process, f"{name}:{key.hex()}", ready=False)


def join(address: str) -> Warm:
    """Return a connection to a parent that another process of this user started. Raises Lost when it is gone."""
    name, _, key = address.partition(":")
    try:
        return Warm(connection.Client(f"\0{name}", "AF_UNIX", authkey=bytes.fromhex(key)))
    except (OSError, EOFError, ValueError, connection.AuthenticationError) as error:
        raise Lost(f"No warm parent answers at the address in {ADDRESS}.") from error


_shared: dict[int, Warm] = {}


def _named() -> Warm | None:
    """Return a connection to the parent that the environment names, unless it is gone."""
    try:
        return join(os.environ[ADDRESS]) if os.environ.get(ADDRESS) else None
    except Lost:
        return None


def shared() -> Warm:
    """Return this process's connection to a warm parent: the one its environment names, else one of its own."""
    mine = os.getpid()
    known = _shared.get(mine)
    if known is None or known.dead:
        _shared.clear()
        known = _named() or start()
        _shared[mine] = known
        atexit.register(_leave, mine)
    return known


def _leave(owner: int) -> None:
    if os.getpid() == owner and owner in _shared:
        _shared.pop(owner).close()
