"""pyproject.toml, requirements.lock and environment.yml name the same dependencies with compatible pins."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FIXED_BY_USER = {"jupyterlab", "pandas", "matplotlib", "statsmodels", "papermill", "nbval", "pytest"}


def wanted(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


RUNTIME = wanted(PROJECT["dependencies"])
TEST = wanted(PROJECT["optional-dependencies"]["test"])


def locked() -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        requirement = Requirement(line)
        (pin,) = requirement.specifier
        assert pin.operator == "==", line
        pins.setdefault(canonicalize_name(requirement.name), []).append(pin.version)
    return pins


def conda() -> tuple[list[str], list[str]]:
    parts = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [part for part in parts if isinstance(part, str)]
    (pip,) = [part["pip"] for part in parts if isinstance(part, dict)]
    return plain, pip


def test_the_lock_satisfies_the_project() -> None:
    pins = locked()
    for name, requirement in {**RUNTIME, **TEST}.items():
        assert name in pins, f"{name} is not in requirements.lock: make lock"
        assert all(requirement.specifier.contains(version) for version in pins[name]), name


def test_environment_yml_names_the_same_dependencies_and_pins() -> None:
    plain, pip = conda()
    assert "python=3.11" in plain
    listed = wanted([line for line in pip if not line.startswith("-")])
    assert set(listed) == set(RUNTIME)
    pins = locked()
    for name, requirement in listed.items():
        (pin,) = requirement.specifier
        assert pin.operator == "==" and pin.version in pins[name], (
            f"{name}: environment.yml and the lock disagree"
        )


def test_what_the_user_fixed_is_there() -> None:
    assert {**RUNTIME, **TEST}.keys() >= FIXED_BY_USER


def test_each_dependency_says_why_it_is_here() -> None:
    block = re.search(
        r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.S | re.M
    )
    for line in block[1].splitlines():
        assert re.search(r'",\s+# \w', line), line
