"""What became of the partnership and of systems: forms printed from one dictionary, goals by pace, the log, the guard.

`items` are rows of `warehouse.framework`: `id`, `label`, `sources`, `note`, `group`, `level`.
"""

import numpy as np
import pandas as pd

from sectorbook.measures.effects import interval

# Sections of each form: the last entry of the document that stands in the section, and a short name.
SECTIONS = {
    "B32": [(5, "Workers"), (9, "Employers"), (13, "Partnership"), (19, "Systems change")],
    "B33": [(5, "Job seekers and workers"), (9, "Employers and industry"), (15, "Partnership"), (19, "Systems change"),
            (20, "Community")],
    "B36": [(5, "Category of impact"), (8, "In words")],
    "B37": [(5, "I Quarterly update"), (12, "II Program goals"), (17, "III Outreach, recruitment, selection"),
            (21, "IV Training"), (23, "V Participant supports"), (28, "VI Partnership"),
            (31, "VII and VIII Employers and business impact"), (33, "IX Products")],
    "B38": [(11, "Employer engagement")],
    "B39": [(3, "Education, training, supports"), (6, "Employer practices"), (8, "Public policy")],
    "D09": [(6, "Business outcomes")],
    "W": [(6, "WIOA primary indicators")],
}  # fmt: skip
ENGAGEMENT = {3.0: "all", 2.0: "most", 1.0: "some or a few", 0.0: "none"}
SIZE_RATIO = 3.0
"""Initiatives whose size differs by more than this factor are unlike in size, whatever group they declare."""
NOT_ENTERED = "not entered yet"
FORMS = {
    "B32": "What sector initiatives measure",
    "B33": "Governors' categories",
    "B36": "Pennsylvania annual report",
    "B37": "Massachusetts annual report",
    "B38": "Massachusetts employer engagement",
    "B39": "Massachusetts systemic change",
    "D09": "Business outcomes",
    "W": "WIOA primary indicators",
}


def entries_of(items: pd.DataFrame, document: str) -> pd.DataFrame:
    """Return the indicators of one document in its order: `line`, `section`, `id`, `label`, `unit`."""
    rows = []
    for item in items.itertuples():
        for source in item.sources:
            name, _, number = source.partition(".")
            if name == document and number.isdigit():
                section = next(s for last, s in SECTIONS[document] if int(number) <= last)
                rows.append((int(number), section, item.id, item.label, item.note))
    frame = pd.DataFrame(rows, columns=["line", "section", "id", "label", "unit"])
    return frame.sort_values("line", ignore_index=True)


def latest(entries: pd.DataFrame) -> pd.DataFrame:
    """Return each indicator's last entry: `indicator`, `date`, `value`, `account`, and `first_value` (the earliest)."""
    ordered = entries.sort_values("date")
    last = ordered.groupby("indicator", as_index=False).last()
    first = ordered.groupby("indicator")["value"].first()
    return last.assign(first_value=last["indicator"].map(first))


def form(items: pd.DataFrame, entries: pd.DataFrame, document: str) -> pd.DataFrame:
    """Return one document's form filled in from the entries: `section`, `label`, `unit`, `entered` (text), `as_of` (text).

    Every line of the form has a row; one without an entry says so and is not 0.
    """
    lines = entries_of(items, document)
    known = latest(entries).set_index("indicator")
    written, dates = [], []
    for line in lines.itertuples():
        if line.id not in known.index:
            written.append(NOT_ENTERED)
            dates.append("")
            continue
        row = known.loc[line.id]
        parts = [] if pd.isna(row["value"]) else [_written(row["value"], line.unit)]
        parts += [] if row["account"] is None or pd.isna(row["account"]) else [str(row["account"])]
        written.append("; ".join(parts) or NOT_ENTERED)
        dates.append(f"{row['date']:%Y-%m-%d}")
    return lines.assign(entered=written, as_of=dates)


def _written(value: float, unit: str) -> str:
    if unit == "share of employers":
        return ENGAGEMENT.get(value, f"{value:g}")
    if unit.startswith("USD"):
        return f"${value:,.2f}" if "hour" in unit else f"${value:,.0f}"
    return (
        f"{value:,.0f} percent"
        if unit == "percent"
        else f"{value:,.1f}"
        if "score" in unit
        else f"{value:,.0f}"
    )


def filled(items: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Return how much of each form the entries fill: `document`, `form` (its name), `lines`, `entered_lines`, `share_pct`."""
    rows = []
    for document in SECTIONS:
        printed = form(items, entries, document)
        done = int((printed["entered"] != NOT_ENTERED).sum())
        rows.append((document, FORMS[document], len(printed), done, 100 * done / len(printed)))
    return pd.DataFrame(rows, columns=["document", "form", "lines", "entered_lines", "share_pct"])


def families(items: pd.DataFrame, panel: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """Return the skill-panel dashboard: `label` (each marked inferred), `lines`, `entered_lines`."""
    known = set(entries["indicator"])
    rows = []
    for family in panel.itertuples():
        groups = [g.strip() for g in family.note.split(",")]
        ids = items.loc[items["group"].isin(groups), "id"]
        rows.append((family.label, len(ids), int(ids.isin(known).sum())))
    return pd.DataFrame(rows, columns=["label", "lines", "entered_lines"])


def on_track(goals: pd.DataFrame, entries: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return each goal's progress: `label`, `reached_value`, `goal`, `as_of`, `due`, `expected_pct`, `status`, `projected`.

    The pace is the count so far over the days since the start; the projected date is where that pace reaches the goal
    (`start + goal/pace`). "on track" when it lies on or before the due date. "never at this pace" when nothing was counted.
    """
    names = dict(zip(items["id"], items["label"], strict=True))
    rows = []
    for target in goals.itertuples():
        own = entries[(entries["indicator"] == target.indicator) & entries["value"].notna()].sort_values(
            "date"
        )
        row = {"label": names[target.indicator], "goal": target.goal, "due": f"{target.due:%Y-%m-%d}"}
        own = own[own["date"] > target.start]
        if own.empty:
            rows.append(row | {"reached_value": np.nan, "as_of": "", "expected_pct": np.nan, "status": "no entry yet",
                               "projected": "not known"})  # fmt: skip
            continue
        at, value = own["date"].iloc[-1], float(own["value"].iloc[-1])
        days, whole = (at - target.start).days, max((target.due - target.start).days, 1)
        expected = min(100 * days / whole, 100.0)
        if value >= target.goal:
            status, when = "reached", "reached"
        elif value <= 0:
            status, when = "behind", "never at this pace"
        else:
            need = days * target.goal / value
            far = need > 365.25 * 50
            end = target.start + pd.Timedelta(days=min(int(np.ceil(need)), 18263))
            status = "on track" if end <= target.due else "behind"
            when = "more than fifty years off" if far else f"{end:%Y-%m-%d}"
        rows.append(row | {"reached_value": value, "as_of": f"{at:%Y-%m-%d}", "expected_pct": expected, "status": status,
                           "projected": when})  # fmt: skip
    columns = ["label", "reached_value", "goal", "as_of", "due", "expected_pct", "status", "projected"]
    return pd.DataFrame(rows, columns=columns)


# -- systems change ---------------------------------------------------------------------------------------------


def log(changes: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return the log with names in place of ids, oldest first, and `stage_level` (1 idea … 4 spread)."""
    names = dict(zip(items["id"], items["label"], strict=True))
    levels = dict(zip(items["id"], items["level"], strict=True))
    named = {
        c: changes[c].map(lambda v: names.get(v, "not said"))
        for c in ("arena", "kind", "stage", "attribution")
    }
    told = {c: changes[c].fillna("not said").astype(str) for c in ("barrier", "strategy", "evidence")}
    months = {"month": changes["date"].dt.strftime("%Y-%m")}
    level = changes["stage"].map(levels).astype("float64")
    return changes.assign(**named, **told, **months, stage_level=level).sort_values("date", ignore_index=True)


def counts(changes: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return changes by arena and stage, every arena with a row: `arena`, `idea`, `piloted`, `adopted`, `spread`, `evidenced`.

    `evidenced`: adopted or spread with evidence named; only those count as outcomes. `also_called`: the arena's other names.
    """
    rows = []
    for arena in items[items["group"] == "arena"].itertuples():
        here = changes[changes["arena"] == arena.id]
        by = here["stage"].value_counts()
        firm = here["stage"].isin(["adopted", "spread"]) & here["evidence"].notna()
        stages = [int(by.get(s, 0)) for s in ("idea", "piloted", "adopted", "spread")]
        rows.append((arena.label, *stages, int(firm.sum()), (arena.note or "").removeprefix("also called: ")))
    return pd.DataFrame(
        rows, columns=["arena", "idea", "piloted", "adopted", "spread", "evidenced", "also_called"]
    )


# -- effectiveness and comparison -------------------------------------------------------------------------------


def effectiveness(waves: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return the partners' mean answer by item and wave: `label`, `wave`, `mean_score`, `ci_low`, `ci_high`, `n` (t interval)."""
    names = dict(zip(items["id"], items["label"], strict=True))
    rows = []
    for (item, wave), part in waves.groupby(["item", "wave"]):
        v = part["answer"].to_numpy(dtype=float)
        low = high = np.nan
        if len(v) > 1:
            low, high, _ = interval(v.mean(), v.std(ddof=1) / np.sqrt(len(v)), len(v) - 1)
        rows.append((names[item], int(wave), v.mean(), low, high, len(v)))
    return pd.DataFrame(rows, columns=["label", "wave", "mean_score", "ci_low", "ci_high", "n"])


def compare(peers: pd.DataFrame) -> pd.DataFrame:
    """Rank initiatives only where it is fair, and say why not elsewhere: `initiative`, `aim`, `people_per_year`,
    `peer_group`, `value`, `rank`, `why_not`.

    Ranked: two or more that declare the same peer group, with the same aim and indicator, a value each, and sizes within a
    factor of `SIZE_RATIO`. Largest value first. Everything else keeps its row without a rank.
    """
    table = peers[["initiative", "aim", "people_per_year", "peer_group", "indicator", "value"]].copy()
    table["rank"], table["why_not"] = np.nan, ""
    table["why_not"] = table["why_not"].astype(object)
    declared = table["peer_group"].notna()
    table.loc[~declared, "why_not"] = "it declares no peer group"
    for _, group in table[declared].groupby("peer_group"):
        reason = _unlike(group)
        table.loc[group.index, "why_not"] = reason
        if not reason:
            table.loc[group.index, "rank"] = group["value"].rank(ascending=False, method="min")
    return table.drop(columns="indicator")


def _unlike(group: pd.DataFrame) -> str:
    """Return why a declared group cannot be ranked, or nothing."""
    if len(group) < 2:
        return "nobody else declares its peer group"
    if group["aim"].nunique() > 1:
        return f"its peers have other aims: {', '.join(sorted(a.replace('_', ' ') for a in group['aim'].unique()))}"
    if group["value"].isna().any() or group["indicator"].nunique(dropna=False) > 1:
        return "not every peer gives the same indicator"
    sizes = group["people_per_year"]
    if sizes.min() <= 0 or sizes.max() / sizes.min() > SIZE_RATIO:
        return f"its peers are unlike in size: {sizes.min():,.0f} to {sizes.max():,.0f} people a year"
    return ""


def examples(items: pd.DataFrame) -> pd.DataFrame:
    """Return the cases, steps and questions of leverage: `section`, `arena`, `label`."""
    arenas = dict(zip(items["id"], items["label"], strict=True))
    chosen = items[items["group"].isin(["case", "step", "question"])]
    section = chosen["group"].map(
        {"case": "Case", "step": "Where to begin", "question": "Question of leverage"}
    )
    arena = chosen["note"].map(lambda note: arenas.get(note, "any"))
    return pd.DataFrame({"section": section, "arena": arena, "label": chosen["label"]}).reset_index(drop=True)


def by_wave(answers: pd.DataFrame) -> pd.DataFrame:
    """Return lines for a chart: mean of all items, and the items highest and lowest in the last wave (`label`, `wave`,
    `mean_score`).
    """
    if answers.empty:
        return answers[["label", "wave", "mean_score"]]
    last = answers[answers["wave"] == answers["wave"].max()].set_index("label")["mean_score"]
    ends = answers[answers["label"].isin([last.idxmax(), last.idxmin()])]
    every = answers.groupby("wave", as_index=False)["mean_score"].mean().assign(label="All items")
    return pd.concat([ends, every], ignore_index=True)[["label", "wave", "mean_score"]]
