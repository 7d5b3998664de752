"""How long one evaluation of a large programme takes: 10,000 people, every estimator, 999 bootstrap draws.

Run: python benchmarks/speed.py   (the bar: under 60 seconds on two cores)
"""

import time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sectorbook.measures import (
    abadie_imbens,
    balance,
    doubly_robust,
    experiments,
    matching,
    multiplicity,
    randomization,
    strata,
    weighting,
)

PEOPLE, DRAWS, COVARIATES = 10_000, 999, [f"x{i}" for i in range(8)]


def programme(seed: int = 0) -> pd.DataFrame:
    """Return 3,500 or so participants and their comparison group, eight covariates, a selected treatment."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(PEOPLE, len(COVARIATES)))
    x[:, 4:] = x[:, 4:] > 0.3
    t = (rng.random(PEOPLE) < 1 / (1 + np.exp(0.7 - 0.4 * x[:, 0] + 0.3 * x[:, 1]))).astype(int)
    y = x @ np.linspace(1, 2, len(COVARIATES)) + t + rng.normal(size=PEOPLE)
    frame = pd.DataFrame(x, columns=COVARIATES)
    return frame.assign(
        t=t, y=y, y2=y + rng.normal(size=PEOPLE), y3=rng.normal(size=PEOPLE), block=np.arange(PEOPLE) // 200
    )


def main() -> None:
    """Time each step and print the table."""
    frame, x = programme(), COVARIATES
    args = (frame, "y", "t", x)

    def nearest() -> None:
        found = matching.nearest_neighbour(frame, "t", x, caliper=0.2)
        matching.audit(frame, "t", x, found)
        matching.matched_effect(frame, "y", "t", found, x, "g-computation")

    steps = {
        "difference, ANCOVA, Lin, blocks": lambda: (
            experiments.difference_in_means(frame, "y", "t"),
            experiments.ancova(*args),
            experiments.lin(*args),
            experiments.blocked_difference(frame, "y", "t", "block"),
        ),
        "quantile effects, 999 draws": lambda: experiments.quantile_effects(frame, "y", "t", draws=DRAWS),
        "overlap and balance": lambda: (
            weighting.overlap(weighting.propensity_score(frame, "t", x), frame["t"]),
            balance.balance_table(frame, "t", x),
        ),
        "IPW, AIPW, imputation, IPWRA, entropy balancing": lambda: (
            weighting.ipw(*args),
            doubly_robust.aipw(*args),
            doubly_robust.regression_imputation(*args),
            doubly_robust.weighted_regression(*args),
            weighting.entropy_balanced(*args),
        ),
        "nearest neighbour, audit, effect": nearest,
        "strata": lambda: strata.stratified_effect(frame, "y", "t", strata.subclassify(frame, "t", x)),
        "Abadie–Imbens": lambda: abadie_imbens.abadie_imbens(*args, matches=4, bias_adjusted=True),
        "randomization test, 999 draws": lambda: randomization.randomization_test(
            frame, "y", "t", draws=DRAWS
        ),
        "Westfall–Young, 3 outcomes, 999 draws": lambda: multiplicity.westfall_young(
            frame, ["y", "y2", "y3"], "t", DRAWS
        ),
        "bootstrap of six estimators, 999 draws": lambda: doubly_robust.bootstrap(*args, draws=DRAWS),
    }
    table, total = Table("Step", "Seconds"), 0.0
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        seconds = time.perf_counter() - start
        total += seconds
        table.add_row(name, f"{seconds:.2f}")
    table.add_row("all", f"{total:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
