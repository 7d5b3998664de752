"""Every estimator on the same people, side by side: which would have misled?"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.abadie_imbens import abadie_imbens
from sectorbook.measures.doubly_robust import aipw, regression_imputation, weighted_regression
from sectorbook.measures.effects import Effect, effect, side_by_side
from sectorbook.measures.experiments import ancova, difference_in_means, gain_score, lin
from sectorbook.measures.matching import matched_effect, nearest_neighbour
from sectorbook.measures.strata import coarsened_exact, stratified_effect, subclassify
from sectorbook.measures.weighting import entropy_balanced, ipw


def compare_estimators(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    baseline: str | None = None,
    caliper: float = 0.2,
    subclasses: int = 6,
    benchmark: float | None = None,
) -> pd.DataFrame:
    """Return one row per estimator: the columns of `effects.side_by_side`, and `note`.

    For people who were not assigned at random. The first rows (difference in means, and regressions that average over everyone)
    are what a careless study would print. `baseline`: the outcome before entry, for the gain score. `caliper` in s.d. of the
    score. An estimator without an answer keeps its row, empty, with the reason in `note`; so do participants left out and
    answers that hang on tied distances.
    """
    args = (frame, outcome, treatment)

    def matched(adjust: str, **rules: object) -> Effect:
        found = nearest_neighbour(frame, treatment, covariates, **rules)
        return matched_effect(*args, found, () if adjust == "none" else covariates, adjust)

    steps: dict[str, Callable[[], Effect]] = {
        "difference in means": lambda: difference_in_means(*args).relabel("association"),
        "covariate-adjusted regression": lambda: ancova(*args, covariates).relabel("association"),
        "interacted regression, everyone": lambda: lin(*args, covariates),
        "regression imputation": lambda: regression_imputation(*args, covariates),
        "propensity subclasses": lambda: stratified_effect(
            *args, subclassify(frame, treatment, covariates, subclasses), covariates, "g-computation"
        ),
        "coarsened exact matching": lambda: stratified_effect(
            *args, coarsened_exact(frame, treatment, covariates)
        ),
        "1:1 matching, all": lambda: matched("none"),
        "1:1 matching, caliper": lambda: matched("none", caliper=caliper),
        "1:1 matching with replacement, caliper, adjusted": lambda: matched(
            "g-computation", caliper=caliper, replacement=True
        ),
        "matching with replacement, bias-adjusted": lambda: abadie_imbens(
            *args, covariates, bias_adjusted=True
        ),
        "inverse probability weighting": lambda: ipw(*args, covariates),
        "weighted regression": lambda: weighted_regression(*args, covariates),
        "entropy balancing": lambda: entropy_balanced(*args, covariates),
        "doubly robust": lambda: aipw(*args, covariates),
    }
    if baseline is not None:
        steps["gain score"] = lambda: gain_score(frame, outcome, baseline, treatment).relabel("ATT")
    effects, notes = [], []
    for name, step in steps.items():
        try:
            found, note = step(), ""
        except SectorbookError as error:
            found, note = effect("ATT", name, np.nan, np.nan, "none", (0, 0)), str(error)
        if "estimate_other_ties" in found.detail:
            note = f"tied distances: {found.detail['estimate_other_ties']:,.4g} under the opposite choice"
        left_out = int((frame[treatment] == 1).sum()) - found.n_treated
        if left_out and np.isfinite(found.estimate):
            note = "; ".join(filter(None, [f"{left_out} participants left out", note]))
        effects.append(found)
        notes.append(note)
    return side_by_side(effects, benchmark).assign(note=notes)
