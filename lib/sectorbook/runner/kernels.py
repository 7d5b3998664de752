"""How a chapter's kernel is reached."""

import tempfile
import uuid
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class FileKernelManager(AsyncKernelManager):
    """Reaches kernels through socket files that only their user can open, not through network ports."""

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    @default("ip")
    def _ip(self) -> str:
        return str(Path(tempfile.gettempdir()) / f"sectorbook-{uuid.uuid4().hex}")
