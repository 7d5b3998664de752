"""Matching with replacement, all ties kept, with the standard error that matching's own randomness calls for.

Abadie & Imbens 2006, Econometrica 74:235–267 (the bootstrap is not valid here: Abadie & Imbens 2008); bias adjustment Abadie &
Imbens 2011. Ties are averaged, so the order of the file never matters.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import Effect, effect, prepare
from sectorbook.measures.weighting import propensity_score

DISTANCES = ("inverse variance", "linear propensity")
TIE_TOLERANCE = 1e-5
"""Squared distances (in s.d.) this close are ties, as in R's Matching."""


def abadie_imbens(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    matches: int = 1,
    distance: str = "inverse variance",
    bias_adjusted: bool = False,
    level: float = 0.95,
) -> Effect:
    """Return the effect on the treated by matching each participant to the `matches` nearest comparison people.

    `distance`: "inverse variance" (each covariate in its s.d.) or "linear propensity" (log odds of the score, treated as known).
    Everyone as near as the last match is used, with equal weights. `bias_adjusted` corrects the covariate gap left within
    pairs by a regression on the matched comparison people. Variance: Σ_treated (gap − effect)² + σ² Σ_comparison (K² − K′),
    over n₁²; K and K′ are the sums of a person's match weights and of their squares, σ² half the mean squared deviation of
    the pair gaps.
    """
    if distance not in DISTANCES:
        raise unknown("matching distance", distance, DISTANCES)
    data = prepare(frame, outcome, treatment, covariates)
    if not 1 <= matches <= data.n[1]:
        raise SectorbookError(
            f"matches lies between 1 and the {data.n[1]} comparison people; found {matches}."
        )
    if distance == "inverse variance":
        points = data.x / data.x.std(axis=0, ddof=1)
    else:
        odds = special.logit(propensity_score(frame, treatment, covariates).to_numpy())
        points = (odds / odds.std(ddof=1))[:, None]
    treated, pool = np.flatnonzero(data.treated), np.flatnonzero(~data.treated)
    own, found, share = [], [], []
    for i in treated:
        away = ((points[pool] - points[i]) ** 2).sum(axis=1)
        near = pool[away <= np.partition(away, matches - 1)[matches - 1] + TIE_TOLERANCE]
        own.append(np.full(len(near), i))
        found.append(near)
        share.append(np.full(len(near), 1 / len(near)))
    own, found, share = np.concatenate(own), np.concatenate(found), np.concatenate(share)
    gap = data.y[own] - data.y[found]
    if bias_adjusted:
        root = np.sqrt(share)[:, None]
        z = np.column_stack([np.ones(len(found)), data.x[found]])
        slope = np.linalg.lstsq(z * root, data.y[found] * root[:, 0], rcond=None)[0][1:]
        gap = gap - (data.x[own] - data.x[found]) @ slope
    n1 = len(treated)
    estimate = float(share @ gap) / n1
    per_person = np.bincount(own, share * gap, minlength=len(data.y))[treated]
    uses = np.bincount(found, share, minlength=len(data.y))
    squares = np.bincount(found, share**2, minlength=len(data.y))
    sigma = 0.5 * float(share @ (gap - estimate) ** 2) / n1
    variance = (((per_person - estimate) ** 2).sum() + sigma * (uses**2 - squares).sum()) / n1**2
    name = f"matching with replacement {matches}:1, {distance}" + (", bias-adjusted" if bias_adjusted else "")
    return effect(
        "ATT",
        name,
        estimate,
        np.sqrt(variance),
        "Abadie–Imbens" + (", score taken as known" if distance == "linear propensity" else ""),
        (n1, int((uses > 0).sum())),
        level=level,
        most_uses=uses.max(),
    )
