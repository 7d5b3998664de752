"""Tables of answers: agreement scales, questions with several answers, coded open text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.survey import Design, column
from sectorbook.measures.survey_shares import Interval, proportion


def likert_table(
    design: Design,
    items: Sequence[str],
    scale: Sequence[object],
    groups: Mapping[str, Sequence[object]],
    by: str | None = None,
    interval: Interval = "korn_graubard",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return each item's answers along a scale, and grouped answers such as "agree" = agree + strongly agree.

    `scale` lists the answers in order; `groups` names sets of them. A grouped percentage is estimated from the rows
    that gave any of its answers, so it is not the sum of rounded percentages and has an interval of its own. The base of
    every percentage is those who answered the item. Returns `item`, `answer`, `grouped` (truth value), `percent`,
    `se_percent`, `ci_low`, `ci_high` (percent), `count`, `n`, `n_missing`. Raises SectorbookError for an answer off the
    scale, also within `groups`.
    """
    for name, members in groups.items():
        for answer in members:
            if answer not in scale:
                raise SectorbookError(f"Group {name!r}: {unknown('answer', str(answer), map(str, scale))}")
    parts = []
    for item in items:
        values = column(design.frame, item)
        single = proportion(design, item, by, interval, scale, confidence)
        parts.append(single.rename(columns={"level": "answer"}).assign(item=item, grouped=False))
        for name, members in groups.items():
            inside = values.isin(list(members)).astype(float).where(values.notna())
            table = proportion(_with(design, inside), _COLUMN, by, interval, [0.0, 1.0], confidence)
            table = table[table["level"] == 1.0].drop(columns="level")
            parts.append(table.assign(item=item, answer=name, grouped=True))
    return _in_percent(
        pd.concat(parts, ignore_index=True), ["item", *([by] if by else []), "answer", "grouped"]
    )


# The name under which a worked-out column stands in the frame while it is estimated.
_COLUMN = "__answer"


def _with(design: Design, values: pd.Series) -> Design:
    return replace(design, frame=design.frame.assign(**{_COLUMN: values}))


def _in_percent(table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    for name in ("estimate", "se", "ci_low", "ci_high"):
        table[name] = 100 * table[name]
    table = table.rename(columns={"estimate": "percent", "se": "se_percent"})
    return table[[*first, "percent", "se_percent", "ci_low", "ci_high", "count", "n", "n_missing"]]


def multiple_response(
    design: Design,
    choices: Mapping[str, str],
    by: str | None = None,
    interval: Interval = "korn_graubard",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the answers to a question that allows several.

    `choices`: column -> label; each column holds 1 (or True) when chosen, 0 when not, missing when the question was not
    answered. The base is those who answered: a row with every choice missing is not counted as choosing nothing, and
    one with only some missing counts those as not chosen. Percentages of respondents add up to more than 100.
    Returns `choice`, `percent` of respondents with interval, `percent_of_answers` (shares of all answers given, adding
    up to 100), `count`, `n`, `n_missing`. Raises SectorbookError for a value that is not 0, 1 or missing.
    """
    chosen = pd.DataFrame({name: _marks(design, name) for name in choices})
    answered = chosen.notna().any(axis=1)
    parts = []
    for name, label in choices.items():
        hit = chosen[name].fillna(0).where(answered)
        table = proportion(_with(design, hit), _COLUMN, by, interval, [0.0, 1.0], confidence)
        parts.append(table[table["level"] == 1.0].drop(columns="level").assign(choice=label))
    table = pd.concat(parts, ignore_index=True)
    base = table.groupby(by)["estimate"].transform("sum") if by else table["estimate"].sum()
    share = 100 * table["estimate"] / np.where(base > 0, base, np.nan)
    out = _in_percent(table, [*([by] if by else []), "choice"])
    out.insert(list(out).index("percent") + 1, "percent_of_answers", share)
    return out


def _marks(design: Design, name: str) -> pd.Series:
    values = column(design.frame, name).astype(float)
    wrong = values.notna() & ~values.isin([0.0, 1.0])
    if wrong.any():
        row = values.index[wrong][0]
        raise SectorbookError(
            f"Row {row!r}, column {name!r}: found {values[row]:g}; a choice is 1, 0 or missing."
        )
    return values


def code_open_answers(answers: pd.DataFrame, codebook: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return open answers with the codes a person gave them, and the answers that have none yet.

    `answers`: `respondent`, `text`. `codebook`: `text` (as answered) and `code`; a text may have several codes. Texts
    are compared without case and outer blanks; nothing is guessed. Returns (`respondent`, `text`, `code`), one row per
    code, and the uncoded (`text`, `answers`), most frequent first. Empty answers are left out of both.
    """

    def key(texts: pd.Series) -> pd.Series:
        return texts.str.strip().str.casefold()

    given = answers[answers["text"].notna() & (answers["text"].str.strip() != "")]
    coded = given.assign(key=key(given["text"])).merge(
        codebook.assign(key=key(codebook["text"]))[["key", "code"]].drop_duplicates(), on="key", how="left"
    )
    open_texts = coded.loc[coded["code"].isna(), "text"].str.strip()
    counts = open_texts.value_counts().rename_axis("text").reset_index(name="answers")
    done = coded.loc[coded["code"].notna(), ["respondent", "text", "code"]]
    return done.reset_index(drop=True), counts


NOT_CODED = "not coded yet"


def coded_table(design: Design, question: str, codebook: pd.DataFrame) -> pd.DataFrame:
    """Return an open question by the codes a person gave its answers, the most frequent first, `NOT_CODED` last.

    `codebook`: `text` and `code`, of this question. The base is those who answered; an answer may have several codes, so
    percentages add up to more than 100. Returns what `multiple_response` does; no rows where nobody answered. The answers
    themselves are not in it.
    """
    texts = column(design.frame, question).astype("object")
    given = pd.DataFrame({"respondent": design.frame.index, "text": texts.to_numpy()})
    given = given[given["text"].notna() & (given["text"].astype(str).str.strip() != "")]
    if given.empty:
        return pd.DataFrame(columns=["choice", "percent", "ci_low", "ci_high", "count", "n"])
    done, left = code_open_answers(given, codebook)
    marks = pd.DataFrame(0.0, index=given["respondent"], columns=sorted(done["code"].unique()))
    for row in done.itertuples():
        marks.loc[row.respondent, row.code] = 1.0
    if len(left):
        marks[NOT_CODED] = (~marks.index.isin(done["respondent"])).astype(float)
    names = {f"{_COLUMN}_{place}": code for place, code in enumerate(marks)}
    frame = design.frame.join(marks.set_axis(list(names), axis=1))
    table = multiple_response(replace(design, frame=frame), names)
    last = table["choice"] == NOT_CODED
    return table.assign(last=last).sort_values(
        ["last", "percent"], ascending=[True, False], kind="stable", ignore_index=True
    ).drop(columns="last")  # fmt: skip
