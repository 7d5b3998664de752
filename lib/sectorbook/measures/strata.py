"""Comparing like with like in strata: propensity subclasses, and coarsened exact matching."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.effects import Effect, effect, prepare
from sectorbook.measures.matching import weighted_contrast
from sectorbook.measures.weighting import propensity_score


@dataclass(frozen=True)
class Strata:
    """A stratified sample.

    `stratum`: one number per row, missing = left out (no counterpart in its stratum). `weights`: treated 1, comparison people
    (treated in stratum)/(comparison in stratum), scaled to sum to the number of comparison people kept; 0 = left out.
    """

    stratum: pd.Series
    weights: pd.Series
    name: str
    clustered: bool


def subclassify(
    frame: pd.DataFrame, treatment: str, covariates: Sequence[str], subclasses: int = 6
) -> Strata:
    """Cut the propensity score at the quantiles of the treated (Rosenbaum & Rubin 1984).

    Raises SectorbookError when a subclass holds nobody of one group; use fewer.
    """
    data = prepare(frame, treatment, treatment, covariates)
    if subclasses < 2:
        raise SectorbookError(f"Subclasses are 2 or more; found {subclasses}.")
    scores = propensity_score(frame, treatment, covariates).to_numpy()
    cuts = np.quantile(scores[data.treated], np.linspace(0, 1, subclasses + 1)[1:-1])
    stratum = np.searchsorted(cuts, scores, side="right").astype(float)
    for s in range(subclasses):
        inside = stratum == s
        if not (inside & data.treated).any() or not (inside & ~data.treated).any():
            raise SectorbookError(
                f"Subclass {s + 1} of {subclasses} has {int((inside & data.treated).sum())} treated and "
                f"{int((inside & ~data.treated).sum())} comparison people; use fewer subclasses."
            )
    return _strata(frame, data.treated, stratum, f"propensity subclasses ({subclasses})", clustered=False)


def coarsened_exact(
    frame: pd.DataFrame, treatment: str, covariates: Sequence[str], bins: Mapping[str, int] | None = None
) -> Strata:
    """Match exactly on coarsened covariates (Iacus, King & Porro 2012).

    Each covariate is cut into equal-width bins over its range: `bins` where given, else Sturges' ⌈log₂ n + 1⌉. A 0/1 covariate
    is thereby matched exactly. Strata without both groups are left out, participants too, so the estimand is about those kept.
    """
    data = prepare(frame, treatment, treatment, covariates)
    usual, given = int(np.ceil(np.log2(len(frame)) + 1)), dict(bins or {})
    for name in given:
        if name not in covariates:
            raise SectorbookError(
                f"bins names {name!r}, which is not among the covariates {list(covariates)}."
            )
    codes = []
    for name, x in zip(covariates, data.x.T, strict=True):
        edges = np.linspace(x.min(), x.max(), given.get(name, usual) + 1)
        codes.append(np.searchsorted(edges[1:-1], x, side="right"))
    stratum = (
        pd.DataFrame(np.column_stack(codes))
        .groupby(list(range(len(codes))))
        .ngroup()
        .to_numpy()
        .astype(float)
    )
    counts = pd.DataFrame({"s": stratum, "t": data.treated}).groupby("s")["t"].agg(["sum", "size"])
    whole = counts[(counts["sum"] > 0) & (counts["sum"] < counts["size"])].index
    stratum[~np.isin(stratum, whole)] = np.nan
    if not len(whole):
        raise SectorbookError(
            "No participant shares all coarsened covariates with a comparison person; use fewer bins."
        )
    return _strata(frame, data.treated, stratum, "coarsened exact matching", clustered=True)


def _strata(
    frame: pd.DataFrame, treated: np.ndarray, stratum: np.ndarray, name: str, clustered: bool
) -> Strata:
    kept = np.isfinite(stratum)
    codes = np.where(kept, stratum, -1).astype(int)
    n1, n0 = (np.bincount(codes[kept & m], minlength=codes.max() + 1) for m in (treated, ~treated))
    weights = np.zeros(len(stratum))
    other = kept & ~treated
    weights[other] = n1[codes[other]] / n0[codes[other]]
    weights[other] *= other.sum() / weights[other].sum()
    weights[kept & treated] = 1.0
    return Strata(
        pd.Series(stratum, index=frame.index, name="stratum"),
        pd.Series(weights, index=frame.index, name="stratum_weight"),
        name,
        clustered,
    )


def stratified_effect(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    strata: Strata,
    covariates: Sequence[str] = (),
    adjust: str = "none",
    level: float = 0.95,
) -> Effect:
    """Return the effect on the participants kept, weighted by stratum (`adjust` as in `matching.matched_effect`).

    Standard errors: clustered by stratum (CR1) after coarsened exact matching; HC1, or HC3 for g-computation, after
    subclassification. They hold the strata fixed.
    """
    if (adjust == "none") != (len(covariates) == 0):
        raise SectorbookError(
            "Name covariates to adjust for, or leave both adjust and covariates at their defaults."
        )
    groups = strata.stratum if strata.clustered else None
    estimate, error, label = weighted_contrast(
        frame, outcome, treatment, strata.weights, groups, covariates, adjust
    )
    used, side = strata.weights > 0, frame[treatment] == 1
    n = (int((used & side).sum()), int((used & ~side).sum()))
    suffix = {"none": "", "covariates": " + covariates", "g-computation": " + g-computation"}[adjust]
    estimand = "ATT" if n[0] == int(side.sum()) else "ATM"
    label = label.replace("matched pair", "stratum")
    return effect(
        estimand,
        strata.name + suffix,
        estimate,
        error,
        label,
        n,
        level=level,
        treated_left_out=int(side.sum()) - n[0],
    )
