"""The tables of the workers' outcomes chapter: which columns each shows, and what stands behind its cells."""

from collections.abc import Sequence

import pandas as pd

from sectorbook.measures.declared import declared, sums


def _names(prefix: str, text: str) -> list[str]:
    return [f"{prefix}_{name}" for name in text.split()]


# The columns each table shows, in order.
SHOWN = {
    "profile": _names("person", "trait group count n share_pct"),
    "levels": _names("person", "indicator count n n_missing share_pct share_pct_low share_pct_high"),
    "weighted": _names(
        "person", "indicator statistic unweighted weighted weighted_low weighted_high effective_n n"
    ),
    "changes": _names("person", "indicator statistic before after change p_value test n"),
    "quarters": _names("person", "quarter group mean_usd n"),
    "rates": _names(
        "wioa",
        "label numerator denominator value ci_low ci_high negotiated_pct score_pct excluded not_yet_available",
    ),
    "groups": _names("wioa", "subgroup numerator denominator value ci_low ci_high"),
    "effects": _names(
        "trial",
        "estimand estimator estimate standard_error bootstrap_se ci_low ci_high p_value se_method n_treated "
        "n_comparison remark",
    ),
    "errors": _names(
        "trial",
        "estimand se_method together clusters estimate standard_error ci_low ci_high p_value p_wild p_wild_least "
        "n_treated n_comparison remark",
    ),
    "over_time": _names(
        "trial",
        "estimand estimator comparison estimate standard_error ci_low ci_high p_value se_method n_treated n_comparison",
    ),
    "event_study": _names(
        "trial", "period estimate standard_error ci_low ci_high p_value se_method n_treated n_comparison"
    ),
    "by_entry": _names(
        "trial", "since_entry estimate standard_error ci_low ci_high p_value se_method n_treated n_comparison"
    ),
    "alike": _names("trial", "covariate difference effect_size variance_ratio verdict effective_n"),
    "standards": _names("standard", "question looked_at finding rule rule_source"),
    "by_quarter": _names("trial", "period estimate ci_low ci_high p_adjusted n_treated n_comparison"),
    "subgroups": _names(
        "trial",
        "subgroup estimate ci_low ci_high p_value p_holm p_fdr p_wy difference_p_value n_treated n_comparison",
    ),
    "quantiles": _names("trial", "quantile treated_quantile comparison_quantile estimate ci_low ci_high"),
    "worth": _names(
        "worth",
        "perspective benefit_usd cost_usd net_usd net_ci_low net_ci_high probability_pct benefit_per_dollar",
    ),
}
# Tables of real, published data: all of their columns are public.
REAL = {
    "estimators": _names(
        "trial",
        "estimand estimator estimate standard_error se_method bias verdict note n_treated n_comparison",
    ),
    "balance": _names(
        "trial",
        "covariate mean_treated mean_comparison difference_before verdict_before difference_after verdict_after "
        "variance_ratio_after effective_n_after",
    ),
    "overlap": _names("trial", "group n outside_other under_0_01 effective_n overlap_verdict"),
    "audit": _names("trial", "constraint asked found held"),
    "unmeasured": _names("trial", "question answer"),
    "rosenbaum": _names("trial", "gamma p_lower p_upper"),
    "published": _names("printed", "label value unit period dollar_year kind read source_ids address note"),
}
# Of which columns each says who stands behind them: counts; shares of two counts; means; and what is of nobody. The rest are
# estimates, with the column "<prefix>_behind".
_COUNTS = {
    "profile": ["person_count", "person_n"],
    "levels": ["person_count", "person_n", "person_n_missing"],
    "weighted": ["person_n"],
    "changes": ["person_n"],
    "quarters": ["person_n"],
    "rates": _names("wioa", "numerator denominator excluded not_yet_available"),
    "groups": _names("wioa", "numerator denominator"),
    **{
        key: _names("trial", "n_treated n_comparison")
        for key in ("effects", "errors", "over_time", "event_study", "by_entry", "by_quarter", "subgroups")
    },
}
_WIOA = ("wioa_numerator", "wioa_denominator")
_SHARES = {
    "profile": {"person_share_pct": ("person_count", "person_n")},
    "levels": dict.fromkeys(
        _names("person", "share_pct share_pct_low share_pct_high"), ("person_count", "person_n")
    ),
    "rates": dict.fromkeys(_names("wioa", "value ci_low ci_high score_pct"), _WIOA),
    "groups": dict.fromkeys(_names("wioa", "value ci_low ci_high"), _WIOA),
}
_MEANS = {"quarters": {"person_mean_usd": ("person_n", "person_largest")}}
_PUBLIC = {
    "profile": ["person_trait", "person_group"],
    "levels": ["person_indicator"],
    "weighted": ["person_indicator", "person_statistic"],
    "changes": ["person_indicator", "person_statistic", "person_test"],
    "quarters": ["person_quarter", "person_group"],
    "rates": ["wioa_label", "wioa_negotiated_pct"],
    "groups": ["wioa_subgroup"],
    "effects": _names("trial", "estimand estimator se_method remark"),
    "errors": _names("trial", "estimand se_method together clusters p_wild_least remark"),
    "over_time": _names("trial", "estimand estimator comparison se_method"),
    "event_study": _names("trial", "period se_method"),
    "by_entry": _names("trial", "since_entry se_method"),
    "alike": ["trial_covariate", "trial_verdict"],
    "standards": _names("standard", "question looked_at finding rule rule_source"),
    "by_quarter": ["trial_period"],
    "subgroups": ["trial_subgroup"],
    "quantiles": ["trial_quantile"],
    "worth": ["worth_perspective", "worth_cost_usd"],
}


def behind(table: str, frame: pd.DataFrame, relations: Sequence[dict] = ()) -> dict:
    """Return the declaration of one of the tables in `SHOWN` for the disclosure gate."""
    counts, shares = _COUNTS.get(table, []), _SHARES.get(table, {})
    means, public = _MEANS.get(table, {}), _PUBLIC[table]
    rest = [column for column in SHOWN[table] if column not in {*counts, *shares, *means, *public}]
    estimates = {column: f"{column.partition('_')[0]}_behind" for column in rest}
    if "trial_difference_p_value" in estimates:
        estimates["trial_difference_p_value"] = "trial_behind_all"
    return declared(frame, counts, shares, estimates, means, public, relations)


def adds_up(address: str, profile: pd.DataFrame, everyone: str) -> list[dict]:
    """Return that the groups of a trait with one answer each add up to everyone, and that n is everyone in each row."""
    links = [{"total": everyone, "parts": [f"{address}#{i}/person_n"]} for i in range(len(profile))]
    for _, part in profile.groupby("person_trait"):
        if part["person_count"].sum() == part["person_n"].iloc[0]:
            parts = [f"{address}#{i}/person_count" for i in part.index]
            links.append({"total": everyone, "parts": parts})
    return links


def whole(address: str, groups: pd.DataFrame) -> list[dict]:
    """Return that the subgroups of a rate add up to "all", in numerator and denominator."""
    return sums(address, groups, _WIOA, "all")


def known_or_not(address: str, levels: pd.DataFrame, everyone: str) -> list[dict]:
    """Return that those an answer is known for and those it is not known for are everyone, in each row of `levels`."""
    return [
        {"total": everyone, "parts": [f"{address}#{i}/person_n", f"{address}#{i}/person_n_missing"]}
        for i in range(len(levels))
    ]


def within(
    address: str, groups: pd.DataFrame, effects_address: str, effects: pd.DataFrame, main: str
) -> list[dict]:
    """Return that the subgroups' people add up to those of the main estimate, where they do.

    `main`: how the name of the main estimator starts.
    """
    rows = [i for i, name in enumerate(effects["trial_estimator"]) if str(name).startswith(main)]
    links = []
    for column in ("trial_n_treated", "trial_n_comparison"):
        if rows and len(groups) and groups[column].sum() == effects[column].iloc[rows[0]]:
            parts = [f"{address}#{i}/{column}" for i in range(len(groups))]
            links.append({"total": f"{effects_address}#{rows[0]}/{column}", "parts": parts})
    return links
