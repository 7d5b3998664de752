"""The warm parent: a process that has imported everything and forks a clean child for each job.

`runner/warm.py` starts it. It never runs a chapter's code itself. When the process that started it goes, so do it and
every child; what a child leaves behind is found and ended.
"""

import os
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing import connection, reduction
from typing import Any

from sectorbook.runner import preload, process


@dataclass
class Child:
    """A running child: its process id, a handle that becomes ready at its end, and who asked for it."""

    pid: int
    handle: int
    owner: connection.Connection
    ticket: int


class Parent:
    """The loop: requests in, forks out, ends reported."""

    def __init__(self, owner: connection.Connection, listener: connection.Listener) -> None:
        self.owner, self.listener = owner, listener
        self.clients = [owner]
        self.children: dict[int, Child] = {}
        self.stamp = preload.warm_up(self._leave_if_alone)

    def _leave_if_alone(self) -> None:
        """End at once when the owner went while the libraries load: it says nothing before they are, so this is its end."""
        if self.owner.poll(0):
            os._exit(0)

    def serve(self) -> None:
        """Serve until the owner is gone."""
        self._tell(self.owner, ("ready", process.threads()))
        entrance = self.listener._listener._socket.fileno()
        while self.owner in self.clients:
            ends = {child.handle: child for child in self.children.values()}
            for ready in connection.wait([entrance, *self.clients, *ends]):
                if ready == entrance:
                    self._welcome()
                elif isinstance(ready, int):
                    self._bury(ends[ready])
                else:
                    self._hear(ready)
        for child in list(self.children.values()):
            self._bury(child)

    def _welcome(self) -> None:
        try:
            self.clients.append(self.listener.accept())
        except (OSError, EOFError, connection.AuthenticationError):
            return

    def _hear(self, client: connection.Connection) -> None:
        try:
            message = client.recv()
            handles = [reduction.recv_handle(client) for _ in range(message.get("handles", 0))]
        except (EOFError, OSError):
            self.clients.remove(client)
            for child in [c for c in self.children.values() if c.owner is client]:
                self._bury(child)
            client.close()
            return
        if message["do"] == "fork":
            self._fork(client, message, handles)
        elif message["do"] == "signal":
            self._signal(message["pid"], message["signal"])

    def _signal(self, pid: int, number: int) -> None:
        """Send a signal to a child's process group; a child that has ended already gets none."""
        if pid in self.children:
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                os.kill(pid, number)

    def _tell(self, client: connection.Connection, message: tuple) -> None:
        try:
            client.send(message)
        except OSError:
            return

    def _fork(self, client: connection.Connection, message: dict[str, Any], handles: list[int]) -> None:
        running = process.threads()
        if running != 1:
            self._tell(client, ("refused", message["ticket"], f"{running} threads run in the parent"))
            for handle in handles:
                os.close(handle)
            return
        mine = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(client, ("refused", message["ticket"], f"cannot fork: {error.strerror}"))
            pid = -1
        if pid == 0:
            _child(self, mine, message, handles)
        for handle in handles:
            os.close(handle)
        if pid < 0:
            return
        self.children[pid] = Child(pid, os.pidfd_open(pid), client, message["ticket"])
        self._tell(client, ("forked", message["ticket"], pid))

    def _bury(self, child: Child) -> None:
        """End a child and all it started; report how it ended."""
        process.kill_group(child.pid)
        if not connection.wait([child.handle], timeout=0):
            os.kill(child.pid, signal.SIGKILL)
        _, status, usage = os.wait4(child.pid, 0)
        os.close(child.handle)
        del self.children[child.pid]
        for orphan in process.children() - set(self.children):
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)
        spent = {"cpu": usage.ru_utime + usage.ru_stime, "peak_kb": usage.ru_maxrss}
        self._tell(child.owner, ("ended", child.ticket, os.waitstatus_to_exitcode(status), spent))


def _child(parent: Parent, mine: int, message: dict[str, Any], handles: list[int]) -> None:
    """Become a clean process, do the job, and leave without touching what the parent had open."""
    code = 1
    try:
        os.setsid()
        process.die_with_parent(mine)
        process.adopt_orphans()
        process.first_to_go()
        for client in parent.clients:
            os.close(client.fileno())
        os.close(parent.listener._listener._socket.fileno())
        for other in parent.children.values():
            os.close(other.handle)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from sectorbook.runner import jobs

        code = jobs.do(message, handles, parent.stamp)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - the last frame of a process: its end is reported by its exit code
        traceback.print_exc()
    finally:
        os._exit(code)


def main(handle: int) -> None:
    """Serve the owner behind `handle`, and whoever connects to the name it gives with the key it gives; then exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.adopt_orphans()
    owner = connection.Connection(handle)
    name, key = owner.recv()
    # A name that begins with a zero byte stands in no folder: no file is left when this process is killed.
    with connection.Listener(f"\0{name}", "AF_UNIX", backlog=64, authkey=key) as listener:
        Parent(owner, listener).serve()
    sys.stderr.flush()
    # Nothing is left to save, and taking the libraries down again costs a second.
    os._exit(0)
