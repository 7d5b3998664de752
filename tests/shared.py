"""The reference folder beside the checkout, which is not shipped."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SECTORBOOK_SHARED", Path(__file__).resolve().parents[2] / "shared"))
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data, which is not shipped")
