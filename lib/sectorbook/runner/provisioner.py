"""The kernel provisioner `sectorbook-warm`: kernels forked from a warm parent, for any Jupyter client.

    JUPYTER_DEFAULT_PROVISIONER_NAME=sectorbook-warm jupyter lab

A kernel that is not this Python, or a place where no fork is safe, gets a kernel the stock way.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from sectorbook.runner import warm

_PYTHONS = {
    "python",
    f"python{sys.version_info.major}",
    f"python{sys.version_info.major}.{sys.version_info.minor}",
}


def kernel_arguments(command: list[str]) -> list[str] | None:
    """Return the arguments of an ipykernel command of this very Python; None for any other command."""
    program, *rest = command
    rest = [word for word in rest if not word.startswith("-X")]
    mine = program in _PYTHONS or os.path.realpath(program) == os.path.realpath(sys.executable)
    return rest[2:] if mine and rest[:2] == ["-m", "ipykernel_launcher"] else None


class _Process:
    """A forked kernel as a provisioner handles its process."""

    stdin = stdout = stderr = None

    def __init__(self, parent: warm.Warm, ticket: int) -> None:
        self.parent, self.ticket = parent, ticket
        self.pid = parent.pids[ticket]

    def poll(self) -> int | None:
        try:
            ended = self.parent.ended(self.ticket)
        except warm.Lost:
            return -signal.SIGKILL
        return None if ended is None else ended.code

    def wait(self) -> int:
        while (code := self.poll()) is None:
            self.parent.hear(None)
        return code

    def send_signal(self, number: int) -> None:
        self.parent.signal(self.ticket, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of the warm parent that this process has, or that its environment names."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; see `LocalProvisioner.launch_kernel`."""
        arguments = kernel_arguments(cmd)
        reason = "it is not this Python" if arguments is None else warm.why_not()
        if reason is None:
            try:
                parent = warm.shared()
                ticket = parent.fork(
                    "kernel",
                    argv=arguments,
                    **{
                        "environment": {k: v for k, v in kwargs.get("env", {}).items() if k != warm.ADDRESS},
                        "cwd": str(kwargs.get("cwd") or Path.cwd()),
                    },
                )
            except warm.Lost as problem:
                reason = str(problem)
        if reason is not None:
            self.log.warning("The kernel starts the stock way: %s.", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = _Process(parent, ticket)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info
