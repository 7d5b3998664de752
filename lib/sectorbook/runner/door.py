"""A command whose notebooks, in all its processes, are forked from one warm parent."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from sectorbook.errors import SectorbookError
from sectorbook.runner import warm


@contextlib.contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Give an environment whose stock Jupyter tools start kernels from a warm parent, which ends with the block.

    Where no fork is safe the environment is this process's own, and the reason is said on standard error.
    """
    reason = warm.why_not()
    if reason:
        sys.stderr.write(f"Kernels start the stock way: {reason}.\n")
        yield dict(os.environ)
        return
    parent = warm.start()
    try:
        parent.wait_until_ready()
        yield {
            **os.environ,
            warm.ADDRESS: parent.address,
            "JUPYTER_DEFAULT_PROVISIONER_NAME": "sectorbook-warm",
        }
    finally:
        parent.close()


def run(command: list[str]) -> int:
    """Run a command in such an environment and return its exit code. Raises SectorbookError when it is not found."""
    if not command:
        raise SectorbookError("Give the command to run, as in: sectorbook warm jupyter lab")
    with environment() as surroundings:
        try:
            return subprocess.run(command, env=surroundings, check=False).returncode
        except FileNotFoundError as error:
            raise SectorbookError(f"There is no command {command[0]!r}.") from error
