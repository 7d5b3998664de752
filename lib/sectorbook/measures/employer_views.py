"""The same answers of employers seen other ways: weighted to size and industry beside unweighted, and by domain.

Post-stratification (Holt and Smith 1979) where every cell of size by industry has an answer; raking to the two margins
(Deming and Stephan 1940) where some have none. Neither mends answers that differ within a cell.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures import employer_answers, survey, survey_shares, survey_tables, survey_weights
from sectorbook.measures.survey import Design

UNWEIGHTED, BY_SIZE, BY_INDUSTRY = "As answered", "To size", "To size and industry"
CELLS, MARGINS, ALONE = "cells", "margins", "size alone"
NOT_KNOWN = "not known"
# Fewer answers than this would pass for their group, and might be known by who they are.
DOMAIN_LEAST = 5


def _industries(kept: pd.DataFrame, frame: pd.DataFrame) -> dict[str, str]:
    """Return, per industry of the frame, the group it is weighted in: one nobody answered joins the least answered."""
    answered = kept["frame_industry"].value_counts()
    smallest = answered.index[::-1][0]
    return {name: name if name in answered else smallest for name in frame["industry"].unique()}


def _frame(kept: pd.DataFrame, employers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = employers.drop_duplicates("employer_code").assign(
        industry=lambda e: e["industry"].astype(object).where(e["industry"].notna(), NOT_KNOWN)
    )
    industry = frame.set_index("employer_code")["industry"]
    kept = kept.assign(frame_industry=kept["employer_code"].map(industry).astype(object))
    frame = frame[frame["size_class"].isin(kept["frame_size"])]
    groups = _industries(kept, frame)
    frame = frame.assign(
        frame_size=frame["size_class"].astype("str"), frame_group=frame["industry"].map(groups)
    )
    return kept.assign(frame_group=kept["frame_industry"].map(groups)), frame


def designs(kept: pd.DataFrame, employers: pd.DataFrame) -> tuple[dict[str, Design], str]:
    """Return the sample under three weightings, and how the last was made; no weighting with fewer than two answers.

    "As answered": every answer counts alike. "To size": those who answered stand for their size class. "To size and
    industry": their weights are made to meet the frame's counts, in "cells" of size by industry where each has an answer,
    else by "margins"; "size alone" where the margins contradict the answers, so that this weighting is left out. An industry
    nobody answered in counts with the one that has the fewest answers. Size classes nobody answered in are not represented.
    """
    if len(kept) < employer_answers.LEAST:
        return {}, ALONE
    kept, frame = _frame(kept, employers)
    kept = kept.assign(frame_total=float(len(frame)))
    plain = survey.survey_design(kept, population=["frame_total"])
    by_size = survey.survey_design(
        kept, strata="frame_size", population=["frame_count"], single_unit="centre"
    )
    made = {UNWEIGHTED: plain, BY_SIZE: by_size}
    cells = frame.groupby(["frame_size", "frame_group"], as_index=False).size()
    cells = cells.rename(columns={"size": "population"})
    there = set(zip(kept["frame_size"], kept["frame_group"], strict=True))
    if set(zip(cells["frame_size"], cells["frame_group"], strict=True)) <= there:
        return {**made, BY_INDUSTRY: survey_weights.post_stratify(by_size, cells)}, CELLS
    margins = {name: frame[name].value_counts().to_dict() for name in ("frame_size", "frame_group")}
    try:
        return {**made, BY_INDUSTRY: survey_weights.rake(by_size, margins)}, MARGINS
    except SectorbookError:  # said by the caller: the answers leave cells empty that the margins need
        return made, ALONE


def weight_table(made: Mapping[str, Design]) -> pd.DataFrame:
    """Return what each weighting costs: `weighting`, `weight_smallest`, `weight_largest`, `effective_answers`, `answers_n`."""
    rows = []
    for name, design in made.items():
        row = survey_weights.weight_summary(design)
        rows.append((name, row["smallest"], row["largest"], row["effective_n"], len(design.weight)))
    columns = ["weighting", "weight_smallest", "weight_largest", "effective_answers", "answers_n"]
    return pd.DataFrame(rows, columns=columns)


def compared(made: Mapping[str, Design], questions: Mapping[str, tuple[object, str]]) -> pd.DataFrame:
    """Return shares of employers under each weighting: question -> (answer, label).

    Returns `estimate_label`, `weighting`, `percent`, `ci_low`, `ci_high` (percent; Korn and Graubard) and `n`, the
    weightings of one question below each other. Questions that the answers do not have are left out.
    """
    rows = []
    for question, (answer, label) in questions.items():
        for name, design in made.items():
            if question not in design.frame or design.frame[question].notna().sum() < employer_answers.LEAST:
                continue
            given = [level for level in design.frame[question].dropna().unique() if level != answer]
            row = survey_shares.proportion(design, question, levels=[answer, *given]).iloc[0]
            values = {
                k: 100 * row[c]
                for k, c in (("percent", "estimate"), ("ci_low", "ci_low"), ("ci_high", "ci_high"))
            }
            rows.append({"estimate_label": label, "weighting": name, **values, "n": row["n"]})
    return pd.DataFrame(rows, columns=["estimate_label", "weighting", "percent", "ci_low", "ci_high", "n"])


def widest(table: pd.DataFrame) -> pd.Series:
    """Return the question of `compared` whose share moves most from as answered to the fullest weighting.

    `estimate_label`, `unweighted`, `weighted` (percent) and `moved` (percentage points, weighted - unweighted); all
    missing without answers.
    """
    columns = ["estimate_label", "unweighted", "weighted", "moved"]
    if table.empty:
        return pd.Series(dict.fromkeys(columns, np.nan))
    wide = table.pivot_table(index="estimate_label", columns="weighting", values="percent", sort=False)
    full = BY_INDUSTRY if BY_INDUSTRY in wide else BY_SIZE
    moved = (wide[full] - wide[UNWEIGHTED]).rename("moved")
    name = moved.abs().idxmax()
    return pd.Series(
        dict(zip(columns, (name, wide.loc[name, UNWEIGHTED], wide.loc[name, full], moved[name]), strict=True))
    )


def domains(
    made: Mapping[str, Design],
    sizes: Mapping[str, str],
    question: str,
    answer: str,
    amount: str,
    least: int = DOMAIN_LEAST,
) -> pd.DataFrame:
    """Return one share and one mean per size class (id -> label) and industry, from the weighting to size.

    `question` and `answer` give the share of employers, `amount` the mean per employer. A domain with fewer than `least`
    answers to the item has no estimate. Returns `domain_kind`, `domain_label`, `answers_n`, `percent`, `percent_low`,
    `percent_high`, `mean`, `mean_low`, `mean_high`.
    """
    columns = ["domain_kind", "domain_label", "answers_n", "percent", "percent_low", "percent_high"]
    columns += ["mean", "mean_low", "mean_high"]
    if BY_SIZE not in made or not made[BY_SIZE].frame[question].notna().any():
        return pd.DataFrame(columns=columns)
    design, rows = made[BY_SIZE], []
    given = [level for level in design.frame[question].dropna().unique() if level != answer]
    for kind, by, names in (("Size", "frame_size", sizes), ("Industry", "frame_industry", {})):
        shares = survey_shares.proportion(design, question, by=by, levels=[answer, *given])
        shares = shares[shares["level"] == answer].set_index(by)
        means = survey.mean(design, amount, by=by).set_index(by)
        for level in sorted(means.index, key=[*names].index if names else str):
            share, mean = shares.loc[level], means.loc[level]
            enough = [share["n"] >= least, mean["n"] >= least]
            rows.append(
                {
                    "domain_kind": kind,
                    "domain_label": names.get(
                        level, f"NAICS {level}" if str(level).isdigit() else str(level)
                    ),
                    "answers_n": int((design.frame[by] == level).sum()),
                    **_values("percent", share, 100, enough[0]),
                    **_values("mean", mean, 1, enough[1]),
                }
            )
    return pd.DataFrame(rows, columns=columns)


def _values(name: str, row: pd.Series, scale: float, enough: bool) -> dict[str, float]:
    low = max(row["ci_low"], 0.0) if enough and not np.isnan(row["ci_low"]) else np.nan
    return {
        name: scale * row["estimate"] if enough else np.nan,
        f"{name}_low": scale * low,
        f"{name}_high": scale * row["ci_high"] if enough else np.nan,
    }


def questions_of(
    several: Mapping[str, tuple[str, Sequence[str], Mapping[str, str]]],
) -> dict[str, tuple[float, str]]:
    """Return chosen answers of questions that allow several, as `compared` takes them.

    `several`: question -> (what stands before the label, choice ids, labels).
    """
    return {
        f"{question}/{choice}": (1.0, f"{before}: {labels[choice][0].lower()}{labels[choice][1:]}")
        for question, (before, choices, labels) in several.items()
        for choice in choices
    }


def coded(sample: Design | None, codebook: pd.DataFrame, asked: Mapping[str, str]) -> pd.DataFrame:
    """Return the open questions of `asked` (id -> label) by the codes of the initiative's codebook.

    `codebook`: `question`, `text` and `code`. Returns `asked` and what `survey_tables.coded_table` does; no rows without
    a sample or a codebook, since an answer nobody has coded says nothing in a table.
    """
    parts = [
        survey_tables.coded_table(sample, question, codebook[codebook["question"] == question]).assign(
            asked=label
        )
        for question, label in asked.items()
        if sample is not None and question in sample.frame and question in set(codebook["question"])
    ]
    columns = ["asked", "choice", "percent", "ci_low", "ci_high", "count", "n"]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)
