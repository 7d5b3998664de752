"""R's `survey` on the California school data, one figure beside each of ours (used by oracle.py and the tests).

Samples, population and figures are in the shared folder; SECTORBOOK_SHARED says where it is.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sectorbook.measures import survey, survey_models, survey_replicates, survey_shares, survey_weights

SHARED = Path(os.environ.get("SECTORBOOK_SHARED", Path(__file__).resolve().parents[2] / "shared"))
DESIGNS = {"srs": {}, "strat": {"strata": "stype"}, "clus1": {"clusters": ["dnum"]}}
# The bounds R was given for logit calibration, found by trying: the reference does not say.
BOUNDS = (0.3, 3.0)

Figure = tuple[int, str, str, float, float]


def sample(kind: str) -> pd.DataFrame:
    """Read one of the samples."""
    return pd.read_csv(SHARED / "data" / "survey_api" / f"r_api{kind}.csv")


@cache
def population() -> pd.DataFrame:
    """Read all schools."""
    return pd.read_csv(SHARED / "data" / "survey_api" / "r_apipop.csv.gz")


def gold() -> pd.DataFrame:
    """Read R's figures; the row numbers are those of the table."""
    return pd.read_csv(SHARED / "reference" / "gold" / "survey_reference.csv", keep_default_na=False)


def drawn(name: str) -> survey.Design:
    """Return a sample's design: "srs", "strat" or "clus1", with "_nofpc" without the population counts."""
    kind, _, rest = name.partition("_")
    frame = sample(kind)
    for level in "EHM":
        frame[f"is_{level}"] = (frame["stype"] == level).astype(float)
    frame["wide"] = (frame["sch.wide"] == "Yes").astype(float)
    correction = {} if rest else {"population": ["fpc"]}
    return survey.survey_design(frame, weight="pw", **DESIGNS[kind], **correction)


def calibrated(base: survey.Design, how: str) -> survey.Design:
    """Return a design calibrated as the reference names it."""
    pop = population()
    stype, wide = pop["stype"].value_counts().to_dict(), pop["sch.wide"].value_counts().to_dict()
    if how == "postStratify(stype)":
        counts = pd.DataFrame({"stype": list(stype), "population": list(stype.values())})
        return survey_weights.post_stratify(base, counts)
    if how.startswith("calibrate"):
        distance = how.rstrip(")").split(",")[1]
        totals = {"stype": stype, "api99": pop["api99"].sum()}
        return survey_weights.calibrate(base, totals, distance, BOUNDS if distance == "logit" else None)
    raked = survey_weights.rake(base, {"stype": stype, "sch.wide": wide}, tolerance=1e-12)
    if how.endswith("trim(5%,95%,strict)"):
        return survey_weights.trim_weights(raked, *np.quantile(raked.weight, [0.05, 0.95]))
    return raked


def _row(table: pd.DataFrame, key: str | None = None) -> dict[str, float]:
    row = table.iloc[0] if key is None else table.set_index(table.columns[0]).loc[key]
    return {"estimate": row["estimate"], "se": row["se"]}


def _limits(row: pd.Series) -> dict[str, float]:
    return {"low": row["ci_low"], "high": row["ci_high"]}


@cache
def _regression(name: str, family: str) -> pd.DataFrame:
    outcome = {"gaussian": "api00", "quasibinomial": "wide"}[family]
    kind = {"gaussian": "gaussian", "quasibinomial": "logistic"}[family]
    return survey_models.regression(drawn(name), outcome, ["ell", "meals", "mobility"], kind)


def _of_design(design: survey.Design, name: str, stat: str, var: str, level: str) -> dict[str, float]:
    """Return our figures for one row of R: `estimate` and `se`, or what else the row holds."""
    match stat:
        case "mean" | "mean2":
            return _row(survey.mean(design, level or var))
        case "mean_ci95_t":
            return _limits(survey.mean(design, var).iloc[0])
        case "total":
            return _row(survey.total(design, f"is_{level[-1]}" if var == "stype" else var))
        case "prop":
            return _row(survey_shares.proportion(design, var), level[-1])
        case "ratio":
            return _row(survey.ratio(design, *var.split("/")))
        case "by_mean":
            return _row(survey.mean(design, "api00", by="stype"), level)
        case "by_total":
            return _row(survey.total(design, "enroll", by="stype"), level)
        case "quantile_qmath":
            return _row(survey_shares.quantile(design, var, float(level)))
        case "subpop_mean":
            return _row(survey.mean(design, "api00", by="sch.wide"), "Yes")
        case "ttest":
            row = survey.difference(design, "api00", "sch.wide", "Yes", "No").iloc[0]
            return {
                "estimate": row["estimate"],
                "se": row["se"],
                "t": row["t"],
                "p": row["p"],
                "df": row["df"],
            }
        case "ciprop_logit":
            return _row(survey_shares.proportion(design, "sch.wide", interval="logit"), "Yes")
        case "ciprop_logit_ci":
            table = survey_shares.proportion(design, "sch.wide", interval="logit").set_index("level")
            return _limits(table.loc["Yes"])
        case "chisq_F":
            test = survey_shares.independence_test(design, "sch.wide", "stype")
            return {
                "estimate": test["f"],
                "p": test["p"],
                "ndf": test["df_numerator"],
                "ddf": test["df_denominator"],
            }
        case "var":
            return _row(survey_models.variance(design, var))
        case "cov":
            names = var.split(",")
            return {"estimate": survey_models.mean_covariance(design, names).loc[names[0], names[1]]}
        case "svyglm_gaussian" | "svyglm_quasibinomial":
            term = "intercept" if level == "(Intercept)" else level
            return _row(_regression(name, stat.removeprefix("svyglm_")), term)
    raise ValueError(f"no figure of ours for {stat}")


def _of_weights(design: survey.Design, stat: str, var: str) -> dict[str, float]:
    w = design.weight
    if stat == "kish_neff":
        return dict(survey_weights.weight_summary(design)[["effective_n", "design_effect"]])
    return (
        {"smallest": w.min(), "largest": w.max()} if var == "min/max" else {"sum": w.sum(), "squares": w @ w}
    )


def _of_replicates(name: str, stat: str, var: str) -> dict[str, float]:
    design = drawn(name)
    statistic = {
        "mean": lambda frame, w: w @ frame[var] / w.sum(),
        "total": lambda frame, w: w @ frame[var],
        "ratio": lambda frame, w: (w @ frame[var.split("/")[0]]) / (w @ frame[var.split("/")[1]]),
    }[stat]
    return _row(survey_replicates.replicate_estimate(survey_replicates.jackknife(design), statistic))


def _expected(row: pd.Series) -> dict[str, float]:
    """Return R's figures of a row by what they are: the extra column and the level hold some."""
    stat, var, extra = row["stat"], row["var"], row["extra"]
    names = {
        "kish_neff": ("effective_n", "design_effect"),
        "weights": ("smallest", "largest") if var == "min/max" else ("sum", "squares"),
        "mean_ci95_t": ("low", "high"),
        "ciprop_logit_ci": ("low", "high"),
    }.get(stat, ("estimate", "se"))
    found = {name: row[c] for name, c in zip(names, ("estimate", "se"), strict=True) if row[c] != ""}
    if stat in ("ttest", "chisq_F"):
        found |= dict(pair.split("=") for pair in f"{row['level']};{extra}".split(";"))
    if stat in ("mean", "total") and extra.startswith("deff="):
        found["design_effect"] = extra.removeprefix("deff=")
    return {name: float(text) for name, text in found.items()}


def figures() -> Iterator[Figure]:
    """Yield every figure of R: row of its table, label, what it is, R's, ours."""
    designs: dict[str, survey.Design] = {}
    for row in gold().itertuples():
        name, _, how = row.design.partition("+")
        if how.startswith("rep("):
            found = _of_replicates(name, row.stat, row.var)
        else:
            if row.design not in designs:
                designs[row.design] = calibrated(drawn(name), how) if how else drawn(name)
            design = designs[row.design]
            if row.stat in ("weights", "kish_neff"):
                found = _of_weights(design, row.stat, row.var)
            else:
                found = _of_design(design, name, row.stat, row.var, row.level)
        expected = _expected(gold_row := pd.Series(row._asdict()))
        if "design_effect" in expected and row.stat in ("mean", "total"):
            estimate = survey.mean if row.stat == "mean" else survey.total
            found["design_effect"] = estimate(design, gold_row["var"])["design_effect"][0]
        label = ", ".join(part for part in (row.design, row.stat, row.var, row.level) if part)
        for quantity, value in expected.items():
            yield row.Index, label, quantity, value, float(found[quantity])
