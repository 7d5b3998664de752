"""Whether a sector approach is right here: the canvas summed up, and go or not yet with what is missing."""

import numpy as np
import pandas as pd

SECTIONS = {
    "statement": "Mission", "challenge": "Challenges (E04)", "factor": "Factors (E08)", "contrast": "Contrasts (B04)",
    "fidelity": "Fidelity (X02)", "intermediary": "Intermediary (X03)", "resource_question": "Resource questions (E16)",
    "resource": "Resources (E18)",
}  # fmt: skip
HIGHEST = 4.0  # a line's score: 0 (not at all) to 4 (fully)
SCORED = ("challenge", "factor", "contrast", "fidelity", "intermediary")


def canvas(lines: pd.DataFrame, filled: pd.DataFrame) -> pd.DataFrame:
    """Return every line of the deciding canvas with the team's answer, evidence, score and date.

    `lines` are those of the form (section, item, question, note), `filled` the rows a team wrote (section, item, answer,
    evidence, score 0 to 4, date). A line nobody answered has "" and missing values.
    """
    given = filled[["section", "item", "answer", "evidence", "score", "date"]]
    joined = lines.merge(given, on=["section", "item"], how="left")
    words = {
        name: joined[name].astype(object).where(joined[name].notna(), "") for name in ("answer", "evidence")
    }
    return joined.assign(**words, score=joined.score.astype(float))


def section(canvas: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return one section of the canvas for a table, with `given`: the answer, or "not answered"."""
    rows = canvas[canvas.section == name]
    return rows.assign(
        given=rows.answer.where(rows.answer.ne(""), "not answered"),
        date_text=rows.date.map(_written),
        canvas_score=rows.score,
    )


def _written(day: object) -> str:
    return "" if pd.isna(day) else f"{pd.Timestamp(day):%Y-%m-%d}"


def statement(canvas: pd.DataFrame, item: str) -> pd.Series:
    """Return the mission or the solution: answer and date."""
    return canvas[(canvas.section == "statement") & (canvas.item == item)].iloc[0]


def order_problem(canvas: pd.DataFrame) -> str:
    """Return what is wrong with the order of mission and solution, in words, or "" (A05, E15: the mission comes first)."""
    mission, solution = statement(canvas, "mission"), statement(canvas, "solution")
    if solution.answer and not mission.answer:
        return "A solution is written down before the mission: write the mission first."
    if solution.answer and mission.answer:
        if not (_written(mission.date) and _written(solution.date)):
            return "Mission and solution need their dates: the mission comes first."
        if solution.date <= mission.date:
            return "The solution is dated before or with the mission: it should follow from analysis, later."
    return ""


def summary(canvas: pd.DataFrame) -> pd.DataFrame:
    """Return each section: lines, lines answered, and the mean score (0 to 4) of the lines scored; NaN where none is."""
    rows = []
    for name, label in SECTIONS.items():
        part = canvas[canvas.section == name]
        answered = (part.answer.ne("") | part.score.notna()).sum()
        mean = part.score.mean() if part.score.notna().any() else np.nan
        rows.append((label, len(part), int(answered), mean, name in SCORED))
    return pd.DataFrame(rows, columns=["canvas_section", "lines", "answered", "mean_score", "scored"])


def missing(canvas: pd.DataFrame, enough: float) -> pd.DataFrame:
    """Return what stands between a team and "go": section, question and why.

    Asked for: a mission, in the right order; a score for every challenge and factor; a score of `enough` (0 to 4) with
    evidence for every factor. E08: factors need not all be settled, but all must be considered.
    """
    rows = []
    if not statement(canvas, "mission").answer:
        rows.append((SECTIONS["statement"], statement(canvas, "mission").question, "not written"))
    elif order_problem(canvas):
        rows.append((SECTIONS["statement"], statement(canvas, "solution").question, order_problem(canvas)))
    for name in ("challenge", "factor"):
        for item in canvas[canvas.section == name].itertuples():
            if np.isnan(item.score):
                rows.append((SECTIONS[name], item.question, "not considered"))
            elif name == "factor" and item.score < enough:
                rows.append((SECTIONS[name], item.question, "scored too low to go"))
            elif name == "factor" and not item.evidence:
                rows.append((SECTIONS[name], item.question, "no evidence"))
    return pd.DataFrame(rows, columns=["canvas_section", "question", "why"])


def verdict(gaps: pd.DataFrame) -> str:
    """Return "Go" where nothing is missing, else "Not yet"."""
    return "Not yet" if len(gaps) else "Go"


def scores(canvas: pd.DataFrame) -> pd.DataFrame:
    """Return challenges and factors with their scores for a chart: question, score (0 where none), scored."""
    both = canvas[canvas.section.isin(["challenge", "factor"])]
    return both.assign(
        scored=both.score.notna(), shown=both.score.fillna(0.0), kind=both.section.map(SECTIONS)
    )
