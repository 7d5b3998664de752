"""Every test, and every chapter nbval runs, writes into a folder of its own."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Where others wait for the result the same cases are tried every time; at a desk each run tries new ones.
settings.register_profile("same-cases", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("same-cases")

_OUT = tempfile.TemporaryDirectory(prefix="sectorbook-tests-")
os.environ["SECTORBOOK_REPORTS"] = _OUT.name


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty output folder."""
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(tmp_path / "reports"))
    return tmp_path / "reports"


@pytest.fixture
def fresh() -> None:
    """Forget what the warehouse and the configuration remember, before and after."""
    from sectorbook import chapters, config, register, warehouse
    from sectorbook.local import files
    from sectorbook.runner import plan

    remembered = (
        config.regions, config.sectors, config.columns, config.framework, config.local, register.layouts, config.published,
        warehouse.tables, warehouse._verified,
        warehouse.regions, warehouse._names, warehouse._industries, chapters.discover, plan._shared_inputs,
        config.audiences, config.questionnaire, files._empty,
    )  # fmt: skip
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None) -> Path:
    """A copy of the checkout's configuration, chapters and data that a test may damage."""
    import shutil

    from sectorbook import paths

    copy = tmp_path / "home"
    for part in ("config", "notebooks", "data/processed", "data/raw/local/demonstration"):
        shutil.copytree(paths.root() / part, copy / part)
    monkeypatch.setenv("SECTORBOOK_HOME", str(copy))
    return copy
