"""The design's rules, read from the code itself."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib" / "sectorbook"

# Each layer may import the ones before it, never those after.
LAYERS = [
    {"errors"},
    {"paths", "places"},
    {"config", "chapters"},
    {"archives", "tabular", "slices"},
    {"provenance"},
    {"known_answers", "register"},
    {"retrieval"},
    {"sources", "questionnaire"},
    {"local"},
    {"warehouse"},
    {"writing", "pictures"},
    {"acquisition", "answers", "partner_files"},
    {"findings", "ledgers", "receipts"},
    {"disclosure"},
    {"measures"},  # pure; what is printed for one employer is computed as it is printed
    {"report"},
    {"runner", "charts"},  # the runner draws a figure before the fork, in the house style
    {"workshop"},
    {"cli", "cli_local", "cli_workshop", "__main__"},
]
PURE = {"measures", "charts", "charts_region"}
NETWORK = {
    "httpx",
    "requests",
    "urllib",
    "urllib3",
    "socket",
    "http",
    "pooch",
    "aiohttp",
    "ftplib",
    "asyncio",
    "distributed",
    "dask",
    "fsspec",
}
# A run on a cluster reaches its scheduler and the store of its files, where it is told to, and nothing else.
CLUSTER = {"runner/far.py", "runner/hired.py", "runner/store.py"}
FOLDERS = {"data", "raw", "processed", "reports", "notebooks", "frameworks", "local"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def ours(path: Path) -> set[str]:
    named = {name.split(".")[1] for name in imports(path) if name.startswith("sectorbook.")}
    return named - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    own = layer(path)
    if own == "__init__":
        return
    if own in PURE:
        assert ours(path) <= {own, "errors"} | ({"charts"} if own.startswith("charts") else set())
        return
    place = next((i for i, names in enumerate(LAYERS) if own in names), None)
    assert place is not None, f"{own} has no place in the layers: decide what it may import"
    allowed = set().union(*LAYERS[: place + 1])
    if place >= LAYERS.index({"acquisition", "answers", "partner_files"}):
        allowed |= {"measures"}  # pure, so nothing comes back round
    assert ours(path) <= allowed, f"{path.name} imports {sorted(ours(path) - allowed)}"


def test_the_design_page_names_every_module() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.M)
    rows = [row for row in rows if not row.startswith("`runner/")] + ["`runner/`"]
    named = [name.strip("`/") for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted({layer(path) for path in MODULES} - {"__init__", "__main__"})


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_retrieval_uses_the_network(path: Path) -> None:
    if layer(path) != "retrieval":
        used = {name.split(".")[0] for name in imports(path)} & NETWORK
        cluster = path.relative_to(PACKAGE).as_posix() in CLUSTER
        assert used <= ({"distributed", "fsspec"} if cluster else set())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_paths_knows_folder_names(path: Path) -> None:
    if layer(path) in ("paths", "sources"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        joined = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        text = node.right.value if joined and isinstance(node.right, ast.Constant) else None
        assert text not in FOLDERS, f"{path.name}, line {node.lineno}: {text!r} belongs in paths.py"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_is_two_things(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 430, "what two things is this file?"


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, which YAML readers take without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{sorted(twice)} stand twice in one mapping, from line {node.start_mark.line + 1}"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yml")), ids=lambda p: p.name)
def test_no_key_of_the_configuration_stands_twice(path: Path) -> None:
    yaml.load(path.read_text(encoding="utf-8"), _Strict)


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_commit_names_a_registry_or_a_machine() -> None:
    hosts = re.compile(
        "|".join(["py" + r"pi\.org", "python" + r"hosted", r"registry\." + "npmjs", r"deb\." + "debian"])
    )
    machine = re.compile(r"(?:^|[\s\"'=(])/(?:root|home|Users)/\w", re.M)
    for path in tracked():
        if path.suffix in (".parquet", ".png"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not hosts.search(text), path
        assert not machine.search(text), path


def test_every_public_name_says_what_it_does() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
