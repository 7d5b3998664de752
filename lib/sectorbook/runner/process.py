"""What Linux offers to keep processes in hand: none outlives its parent, none gets lost."""

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent `parent` (a process id) dies, even by SIGKILL."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose own parent died, so that it can find and end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def threads() -> int:
    """Return how many threads run in this process, those of C libraries too."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def children() -> set[int]:
    """Return the process ids of this process's children; none where the system does not list them."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        listing = task / "children"
        if listing.exists():
            found |= {int(pid) for pid in listing.read_text(encoding="ascii").split()}
    return found


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads; a group that is gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def first_to_go() -> None:
    """Tell the system to end this process before others when memory runs out."""
    Path("/proc/self/oom_score_adj").write_text("700", encoding="ascii")
