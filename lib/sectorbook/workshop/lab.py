"""JupyterLab at the first chapter, without news, updates or anything else that asks the network."""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from sectorbook import chapters, paths

# What JupyterLab asks its makers' servers for when it starts, switched off. And its list of files: names whole in place of
# the time of change, and a chapter opens with one click.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
    "@jupyterlab/filebrowser-extension:browser": {
        "showLastModifiedColumn": False,
        "singleClickNavigation": True,
    },
}


def command(settings: Path, more: list[str]) -> list[str]:
    """Return the command that opens JupyterLab at the first chapter; `more` are arguments of JupyterLab's own."""
    first = chapters.discover()[0].path.name
    return [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={paths.notebooks().resolve()}",
        f"--LabApp.default_url=/lab/tree/{first}", f"--LabApp.app_settings_dir={settings}",
        "--HTMLExporter.template_name=classic",  # the newer one drops the words of pictures
        *more,
    ]  # fmt: skip


def run(more: list[str]) -> int:
    """Open JupyterLab and return its exit code when it ends. Ctrl-C is JupyterLab's: it asks, and ends its kernels."""
    with tempfile.TemporaryDirectory(prefix="sectorbook-lab-") as name:
        folder = Path(name)
        (folder / "overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        server = subprocess.Popen(command(folder, more))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        return server.wait()
