"""The libraries a participant pack needs: which they are, and a folder of them for a system and a Python."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sectorbook import paths
from sectorbook.errors import SectorbookError, unknown

# What a marker compares with on each system, and the names its wheels go by (PEP 425, 600), newest first.
SYSTEMS = {
    "linux": (
        {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
        [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)] + ["manylinux2014_x86_64", "manylinux1_x86_64"],
    ),
    "mac": (
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
        [f"macosx_{n}_0_{arch}" for n in range(14, 10, -1) for arch in ("arm64", "universal2")]
        + ["macosx_10_9_universal2"],
    ),
    "mac-intel": (
        {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "x86_64"},
        [f"macosx_{n}_0_{arch}" for n in range(14, 10, -1) for arch in ("x86_64", "universal2")]
        + [f"macosx_10_{n}_{arch}" for n in range(16, 8, -1) for arch in ("x86_64", "universal2")],
    ),
    "windows": (
        {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
        ["win_amd64"],
    ),
}  # fmt: skip


def _wanted(line: str, extras: set[str]) -> Requirement | None:
    """Return what a library asks for, on any system; None for what only an extra not chosen asks for."""
    requirement = Requirement(line)
    marker = requirement.marker
    if marker is None or "extra" not in str(marker):
        return requirement
    return requirement if any(marker.evaluate({"extra": extra}) for extra in extras) else None


def _closure(extras: set[str]) -> set[str]:
    """Return the names of all libraries the workbook asks for with `extras`, and those they ask for in turn."""
    found: dict[str, set[str]] = {}
    waiting = [("sectorbook", extras)]
    while waiting:
        name, chosen = waiting.pop()
        if name in found and chosen <= found[name]:
            continue
        found[name] = found.get(name, set()) | chosen
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue
        for requirement in filter(None, (_wanted(line, found[name]) for line in lines)):
            waiting.append((canonicalize_name(requirement.name), set(requirement.extras)))
    return set(found)


def requirements() -> str:
    """Return the lines of the lock that a participant pack needs: all but what only tests and the book need.

    What is locked for another system, and so not known here, stays. Raises SectorbookError without a lock.
    """
    path = paths.lock()
    if not path.exists():
        raise SectorbookError(f"{paths.shown(path)} is missing; a pack is made from a checkout.")
    more = set(metadata("sectorbook").get_all("Provides-Extra") or [])
    left_out = _closure(more) - _closure(set())
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return (
        "\n".join(line for line in lines if canonicalize_name(Requirement(line).name) not in left_out) + "\n"
    )


def _lines(file: Path, environment: dict[str, str]) -> list[str]:
    """Return the pins of a file that hold in an environment, without their markers."""
    pins = [Requirement(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [f"{p.name}{p.specifier}" for p in pins if p.marker is None or p.marker.evaluate(environment)]


def fetch(pack: Path, system: str | None, python: str | None) -> tuple[int, int]:
    """Fetch a pack's libraries into its `wheelhouse`, through pip, and return how many files and bytes it holds.

    `system` is one of `SYSTEMS`, None this machine's; `python` as in "3.12", None this one's. Run it once for each kind
    of laptop: a wheelhouse may hold several. Raises SectorbookError for what is unknown, and when pip fails.
    """
    file, target = pack / "requirements.txt", pack / "wheelhouse"
    if not file.is_file():
        raise SectorbookError(
            f"{paths.shown(pack)} is no participant pack: there is no requirements.txt in it."
        )
    if system is not None and system not in SYSTEMS:
        raise unknown("system", system, SYSTEMS)
    version = python or f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not version.startswith("3.") or not version[2:].isdecimal():
        raise SectorbookError(f"A Python is given as 3.12 is; found {version!r}.")
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    environment |= SYSTEMS[system][0] if system else {}
    options = [part for name in (SYSTEMS[system][1] if system else []) for part in ("--platform", name)]
    options += ["--python-version", version] if python or system else []
    command = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps",
        "--only-binary=:all:", *options, "--dest", str(target), *_lines(file, environment),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SectorbookError(f"pip could not fetch the libraries: {done.stderr.strip()[-1500:]}")
    files = [path for path in target.iterdir() if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)
