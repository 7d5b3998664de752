"""Do 95 % intervals hold the truth 95 times in 100, and do tests under no effect reject 5 times in 100?

Seeded simulation in designs that meet each estimator's assumptions; writes docs/coverage.md.
Run: python benchmarks/coverage.py [replications]
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sectorbook.measures import (
    abadie_imbens,
    clusters,
    doubly_robust,
    experiments,
    matching,
    panels,
    randomization,
    staggered,
    weighting,
)
from sectorbook.measures.effects import Effect

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
X = ["x1", "x2"]
EFFECT = 1.0
BAND = (0.93, 0.97)  # the bar


def blocks_of_twenty(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return an assignment with ten treated in each block of twenty."""
    return rng.permuted(np.tile(np.arange(20) % 2, (n // 20, 1)), axis=1).ravel()


def trial(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Return 200 people assigned at random within blocks of 20, unequal variances, skewed noise, take-up of 70 %."""
    n = 200
    x = rng.normal(size=(n, 2))
    t = blocks_of_twenty(rng, n)
    took = t * (rng.random(n) < 0.7)
    noise = rng.exponential(size=n) - 1
    y = x[:, 0] + effect * t + noise * (1 + t)
    tot = x[:, 0] + effect * took + noise
    return pd.DataFrame(
        {"y": y, "t": t, "x1": x[:, 0], "x2": x[:, 1], "took": took, "z": tot, "block": np.arange(n) // 20}
    )


def sites(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Return 24 whole sites assigned, of 5 to 30 people each."""
    size = rng.integers(5, 31, 24)
    site = np.repeat(np.arange(24), size)
    t = rng.permutation(np.arange(24) % 2)[site]
    x = rng.normal(size=len(site))
    y = rng.normal(size=24)[site] * 0.7 + x + effect * t + rng.normal(size=len(site))
    return pd.DataFrame({"y": y, "t": t, "x": x, "site": site})


def study(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Return 500 people who chose by what drives the outcome; both groups overlap."""
    x = rng.normal(size=(500, 2))
    t = (rng.random(500) < 1 / (1 + np.exp(0.6 - 0.7 * x[:, 0] + 0.4 * x[:, 1]))).astype(int)
    y = 2 * x[:, 0] - x[:, 1] + effect * t + rng.normal(size=500)
    return pd.DataFrame({"y": y, "t": t, "x1": x[:, 0], "x2": x[:, 1]})


def firms(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Return 24 firms over four years with shocks that last; half treated from the third year."""
    frame = pd.DataFrame([(f, y) for f in range(24) for y in range(4)], columns=["firm", "year"])
    frame["treated"] = rng.permutation(np.arange(24) % 2)[frame["firm"]]
    frame["post"] = (frame["year"] >= 2).astype(int)
    drift = rng.normal(size=(24, 4)).cumsum(axis=1).ravel()
    frame["y"] = drift + frame["year"] + effect * frame["treated"] * frame["post"] + rng.normal(size=96)
    return frame


def starts(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Return 150 units starting in period 3, 4 or never, trends driven by a covariate that also drives starting."""
    n = 150
    x = rng.normal(size=n)
    start = np.where(rng.random(n) < 1 / (1 + np.exp(-0.7 * x)), rng.choice([3.0, 4.0], n), np.nan)
    frame = pd.DataFrame([(i, t) for i in range(n) for t in range(1, 6)], columns=["id", "t"])
    frame["start"], frame["x"] = start[frame["id"]], x[frame["id"]]
    frame["y"] = rng.normal(size=n)[frame["id"]] + 0.5 * frame["x"] * frame["t"] + rng.normal(size=len(frame))
    frame["y"] += effect * (frame["t"] >= frame["start"])
    return frame


def matched(frame: pd.DataFrame) -> Effect:
    """Return the covariate-adjusted effect after 1:1 matching within a caliper, clustered by pair."""
    found = matching.nearest_neighbour(frame, "t", X, caliper=0.2)
    return matching.matched_effect(frame, "y", "t", found, X, "covariates")


def twoway(frame: pd.DataFrame) -> Effect:
    """Return the difference-in-differences."""
    return panels.difference_in_differences(frame, "y", "treated", "post", "firm", "year")


def callaway(frame: pd.DataFrame) -> Effect:
    """Return the staggered estimate with the covariate."""
    return staggered.aggregate(staggered.group_time_effects(frame, "y", "id", "t", "start", ["x"]), "simple")[
        0
    ]


Estimator = Callable[[pd.DataFrame], Effect]
DESIGNS: dict[Callable[[np.random.Generator, float], pd.DataFrame], dict[str, Estimator]] = {
    trial: {
        "difference in means, HC2/Welch": lambda d: experiments.difference_in_means(d, "y", "t"),
        "ANCOVA, HC2": lambda d: experiments.ancova(d, "y", "t", X),
        "Lin, HC2": lambda d: experiments.lin(d, "y", "t", X),
        "Lin, HC3": lambda d: experiments.lin(d, "y", "t", X, "HC3"),
        "blocked difference": lambda d: experiments.blocked_difference(d, "y", "t", "block"),
        "TOT, 2SLS": lambda d: experiments.treatment_on_treated(d, "z", "t", "took", X),
    },
    sites: {
        "ANCOVA, CR2 by site (24 sites)": lambda d: experiments.ancova(d, "y", "t", ["x"], "CR2", "site")
    },
    study: {
        "IPW (Hájek), M-estimation": lambda d: weighting.ipw(d, "y", "t", X),
        "IPW for everyone (ATE), M-estimation": lambda d: weighting.ipw(d, "y", "t", X, "ATE"),
        "entropy balancing, M-estimation": lambda d: weighting.entropy_balanced(d, "y", "t", X),
        "AIPW (Hájek), influence function": lambda d: doubly_robust.aipw(d, "y", "t", X),
        "regression imputation, HC2": lambda d: doubly_robust.regression_imputation(d, "y", "t", X),
        "weighted regression (IPWRA), HC1": lambda d: doubly_robust.weighted_regression(d, "y", "t", X),
        "1:1 matching + covariates, CR1 by pair": matched,
        "matching with replacement, bias-adjusted, Abadie–Imbens": lambda d: abadie_imbens.abadie_imbens(
            d, "y", "t", X, 1, bias_adjusted=True
        ),
    },
    firms: {"difference-in-differences, CR2 (24 firms)": twoway},
    starts: {"Callaway–Sant'Anna, doubly robust": callaway},
}


def wild(frame: pd.DataFrame) -> float:
    """Return the wild cluster bootstrap's p of the sites design."""
    x = np.column_stack([np.ones(len(frame)), frame["t"], frame["x"]])
    return clusters.wild_cluster_bootstrap(frame["y"].to_numpy(), x, frame["site"].to_numpy(), 1, draws=199)


TESTS: dict[str, tuple[Callable, Callable[[pd.DataFrame], float]]] = {
    "randomization, studentized": (
        trial,
        lambda d: randomization.randomization_test(d, "y", "t", draws=199).p_value,
    ),
    "randomization, ranks": (
        trial,
        lambda d: randomization.randomization_test(d, "y", "t", "rank", draws=199).p_value,
    ),
    "randomization within blocks": (
        trial,
        lambda d: (
            randomization.randomization_test(d, "y", "t", "difference", block="block", draws=199).p_value
        ),
    ),
    "randomization of whole sites": (
        sites,
        lambda d: randomization.randomization_test(d, "y", "t", cluster="site", draws=199).p_value,
    ),
    "wild cluster bootstrap (24 sites)": (sites, wild),
}


def coverage(replications: int, seed: int = 20261121) -> pd.DataFrame:
    """Return, per estimator: mean bias, mean standard error over the spread of estimates, and coverage of 95 % intervals."""
    rows = []
    for number, (design, estimators) in enumerate(DESIGNS.items()):
        found = {name: [] for name in estimators}
        for replication in range(replications):
            frame = design(np.random.default_rng([seed, number, replication]), EFFECT)
            for name, estimator in estimators.items():
                e = estimator(frame)
                found[name].append((e.estimate, e.standard_error, e.ci_low <= EFFECT <= e.ci_high))
        for name, values in found.items():
            v = np.array(values, dtype=float)
            rows.append(
                (
                    design.__name__,
                    name,
                    v[:, 0].mean() - EFFECT,
                    v[:, 1].mean() / v[:, 0].std(ddof=1),
                    v[:, 2].mean(),
                )
            )
    return pd.DataFrame(rows, columns=["design", "estimator", "bias", "se_ratio", "coverage"])


def type_one(replications: int, seed: int = 20261122) -> pd.DataFrame:
    """Return the share of p ≤ 0.05 and ≤ 0.10 when the programme does nothing to anyone."""
    rows = []
    for number, (name, (design, test)) in enumerate(TESTS.items()):
        p = np.empty(replications)
        for r in range(replications):
            frame = design(np.random.default_rng([seed, number, r]), 0.0)
            if design is trial:  # nobody's outcome may depend on the draw: assign it again
                frame["t"] = blocks_of_twenty(np.random.default_rng([seed, number, r, 1]), len(frame))
            p[r] = test(frame)
        rows.append((name, (p <= 0.05).mean(), (p <= 0.10).mean()))
    return pd.DataFrame(rows, columns=["test", "at_05", "at_10"])


def report(covered: pd.DataFrame, errors: pd.DataFrame, replications: int) -> str:
    """Return docs/coverage.md."""
    noise = 100 * 1.96 * np.sqrt(0.95 * 0.05 / replications)
    inside = covered["coverage"].between(*BAND)
    lines = [
        "# Coverage of the intervals",
        "",
        f"Generated by `python benchmarks/coverage.py {replications}`; do not edit. {replications} seeded samples per design, "
        f"true effect {EFFECT:g}; simulation error of a coverage of 95 % is ±{noise:.1f} points. "
        f"{int(inside.sum())} of {len(inside)} estimators lie between {BAND[0]:.0%} and {BAND[1]:.0%}. "
        "`se ratio` is the mean standard error over the real spread.",
        "",
        "| Design | Estimator | Bias | se ratio | Coverage |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {r.design} | {r.estimator} | {r.bias:+.3f} | {r.se_ratio:.2f} | {r.coverage:.1%} |"
        for r in covered.itertuples()
    ]
    lines += [
        "",
        "## Tests when the programme does nothing",
        "",
        "| Test | p ≤ 0.05 | p ≤ 0.10 |",
        "|---|---:|---:|",
    ]
    lines += [f"| {r.test} | {r.at_05:.1%} | {r.at_10:.1%} |" for r in errors.itertuples()]
    lines += ["", "## Designs", ""]
    lines += [
        f"* `{design.__name__}`: {design.__doc__.splitlines()[0].removeprefix('Return ')}"
        for design in DESIGNS
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    page = report(coverage(count), type_one(count), count)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
