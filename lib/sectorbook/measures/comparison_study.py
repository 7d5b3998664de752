"""A study without random assignment beside the experiment that knows the answer: tables of the workers' outcomes chapter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sectorbook.measures import balance, estimators, experiments, matching, sensitivity, weighting


@dataclass(frozen=True)
class Benchmark:
    """The experiment's estimate and the same participants' naive contrast with people who were never in it."""

    experiment: float
    experiment_se: float
    experiment_low: float
    experiment_high: float
    naive: float
    naive_low: float
    naive_high: float


def benchmark(trial: pd.DataFrame, study: pd.DataFrame, outcome: str, treatment: str) -> Benchmark:
    """Return the difference in means in the trial and in the study."""
    true = experiments.difference_in_means(trial, outcome, treatment)
    naive = experiments.difference_in_means(study, outcome, treatment)
    return Benchmark(
        true.estimate,
        true.standard_error,
        true.ci_low,
        true.ci_high,
        naive.estimate,
        naive.ci_low,
        naive.ci_high,
    )


def compared(
    study: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str],
    baseline: str,
    truth: Benchmark,
) -> pd.DataFrame:
    """Return `estimators.compare_estimators` against the experiment, with `verdict` in words.

    "misleads": the sign is wrong or the interval leaves out the experiment's answer. "in range": the interval holds it.
    "no answer" where an estimator has none.
    """
    table = estimators.compare_estimators(
        study, outcome, treatment, covariates, baseline, benchmark=truth.experiment
    )
    wrong = (np.sign(table["estimate"]) != np.sign(truth.experiment)) | ~table["covers_benchmark"]
    table["verdict"] = np.where(
        table["estimate"].isna(), "no answer", np.where(wrong, "misleads", "in range")
    )
    return table


def love(
    study: pd.DataFrame, treatment: str, covariates: Sequence[str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return balance before and after entropy balancing, one row per covariate, named as `labels` says.

    `covariate`, `difference_before` and `difference_after` (standardized by the participants' s.d.), `variance_ratio_after`,
    `effect_size_before`, `verdict_before`, `verdict_after`, `effective_n_after`.
    """
    before = balance.balance_table(study, treatment, covariates)
    weights = weighting.entropy_balance(study, treatment, covariates).weights
    after = balance.balance_table(study, treatment, covariates, weights)
    return pd.DataFrame(
        {
            "covariate": before["covariate"].map(labels),
            "mean_treated": before["mean_treated"],
            "mean_comparison": before["mean_comparison"],
            "difference_before": before["standardized_difference"],
            "difference_after": after["standardized_difference"],
            "variance_ratio_after": after["variance_ratio"],
            "verdict_before": before["verdict"],
            "verdict_after": after["verdict"],
            "effective_n_after": after["effective_n_comparison"],
        }
    )


def overlap(study: pd.DataFrame, treatment: str, covariates: Sequence[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the overlap report of `weighting.overlap` and the scores behind it."""
    scores = weighting.propensity_score(study, treatment, covariates)
    return weighting.overlap(scores, study[treatment]), scores


def matched(study: pd.DataFrame, treatment: str, covariates: Sequence[str], caliper: float) -> matching.Match:
    """Return a one-to-one match within a caliper of the score."""
    return matching.nearest_neighbour(study, treatment, covariates, caliper=caliper)


def hidden_bias(study: pd.DataFrame, outcome: str, match: matching.Match) -> pd.DataFrame:
    """Return Rosenbaum's bounds of the matched pairs' differences."""
    pairs = match.pairs
    gap = study.loc[pairs["treated"], outcome].to_numpy() - study.loc[pairs["comparison"], outcome].to_numpy()
    return sensitivity.rosenbaum_bounds(gap)


def unmeasured(
    sample: pd.DataFrame, outcome: str, treatment: str, covariates: Sequence[str], effect: pd.Series
) -> pd.DataFrame:
    """Return what an unmeasured difference would have to be: `question`, `answer` (a number), `unit`.

    `effect`: a row of `effects.side_by_side`. E-value of the difference, and Oster's delta and adjusted effect.
    """
    e = sensitivity.e_value_of_difference(effect["estimate"], effect["standard_error"], sample[outcome].std())
    oster = sensitivity.coefficient_stability(sample, outcome, treatment, covariates)
    rows = [
        ("Risk ratio an unmeasured factor needs with taking part and outcome (E-value)", e["e_value"], "ratio"),
        ("The same for the end of the interval nearest to none", e["e_value_interval"], "ratio"),
        ("Times as important as the measured ones to bring the effect to none (Oster's delta)", oster["delta"], "ratio"),
        ("Effect if the unmeasured are as important as the measured", oster["adjusted_effect"], "USD"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["question", "answer", "unit"])


def audited(
    study: pd.DataFrame, treatment: str, covariates: Sequence[str], match: matching.Match
) -> pd.DataFrame:
    """Return the audit of a match: `constraint`, `asked`, `found`, `held`."""
    return matching.audit(study, treatment, covariates, match)


def rating(study: pd.DataFrame, treatment: str, covariates: Sequence[str]) -> balance.Rating:
    """Return the WWC rating of the unweighted study that adjusts for all covariates."""
    return balance.study_rating(False, balance.balance_table(study, treatment, covariates), covariates)
