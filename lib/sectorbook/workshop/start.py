"""Set up this folder and open its chapters. It needs Python 3.11 or newer, and no network where there is a wheelhouse.

It stands in the top folder of a participant pack and uses nothing but Python itself.
"""

import argparse
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)
READY = "sectorbook-ready.txt"


def say(text):
    """Tell the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def stop(text):
    """End with a message."""
    sys.stderr.write("start.py: " + text + "\n")
    raise SystemExit(2)


def python_of(environment):
    """Return the Python of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(environment, requirements, wheelhouse):
    """Make the environment and put the libraries in: from the wheelhouse where there is one, else over the network."""
    say("First start: making the environment in " + str(environment) + ". This takes a few minutes.")
    try:
        venv.create(environment, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        stop("this Python cannot make environments. On Debian or Ubuntu install the package python3-venv.")
    command = [
        str(python_of(environment)),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--quiet",
        "--no-deps",
    ]
    if wheelhouse.is_dir() and any(wheelhouse.iterdir()):
        say("Taking the libraries from " + str(wheelhouse) + ".")
        command += ["--no-index", "--find-links", str(wheelhouse)]
    else:
        say("There is no wheelhouse here: fetching the libraries over the network.")
    done = subprocess.run([*command, "-r", str(requirements)], check=False)
    if done.returncode:
        here = "{}.{} on {}".format(*sys.version_info[:2], sys.platform)
        stop(
            "the libraries could not be put in (the lines above say which one). The wheelhouse may be for another "
            "Python or system than this one: Python "
            + here
            + ". The facilitator makes one with: sectorbook workshop wheelhouse"
        )
    (environment / READY).write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")


def main():
    """Set up what is missing, then open JupyterLab; arguments it does not know go to JupyterLab."""
    if sys.version_info < OLDEST:
        stop("this is Python {}.{}; it takes Python 3.11 or newer.".format(*sys.version_info[:2]))
    parser = argparse.ArgumentParser(description="Set up this folder and open its chapters in JupyterLab.")
    parser.add_argument(
        "--environment", type=Path, default=HERE / ".venv", help="An environment that several packs share."
    )
    parser.add_argument("--wheelhouse", type=Path, default=HERE / "wheelhouse", help="A folder of libraries.")
    parser.add_argument("--set-up", action="store_true", help="Only set up; open nothing.")
    given, more = parser.parse_known_args()
    requirements = HERE / "requirements.txt"
    environment = given.environment.resolve()
    ready = environment / READY
    if not ready.exists() or ready.read_text(encoding="utf-8") != requirements.read_text(encoding="utf-8"):
        try:
            install(environment, requirements, given.wheelhouse.resolve())
        except OSError as error:
            stop(f"cannot write {environment}: {error.strerror or error}.")
    if given.set_up:
        say("Ready. Start with: python3 start.py")
        return 0
    say("Opening JupyterLab. Keep this window open; Ctrl-C here ends it.")
    jupyter = HERE / ".jupyter"  # nobody's own settings and kernels come in, and many can sit at one account
    own = {
        "SECTORBOOK_HOME": str(HERE),
        "PYTHONPATH": str(HERE / "lib"),
        "PYTHONNOUSERSITE": "1",
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_DATA_DIR": str(jupyter / "share"),
        "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
        "IPYTHONDIR": str(jupyter / "ipython"),
    }
    kept = {key: value for key, value in os.environ.items() if key != "SECTORBOOK_REPORTS"}
    lab = subprocess.Popen(
        [str(python_of(environment)), "-m", "sectorbook", "lab", *more], env={**kept, **own}
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for JupyterLab, which asks and ends its kernels
    signal.signal(signal.SIGTERM, lambda *_: lab.terminate())
    return lab.wait()


if __name__ == "__main__":
    raise SystemExit(main())
