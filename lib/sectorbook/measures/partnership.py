"""What became of the partnership: forms filled in from one list of entries, goals by their pace, waves, comparisons.

`dictionary` are rows of the indicator dictionary: `id`, `label`, `note` (the unit), `group`. `entries` are `indicator`,
`date`, `value`, `words`. `asked` are the lines of the forms: `form`, `form_title`, `form_documents`, `printed`,
`form_part`, `indicator`.
"""

from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd

from sectorbook.measures import convening, network
from sectorbook.measures.effects import interval

NOT_ENTERED = "not entered"
SHARES = {0: "none", 1: "some or a few", 2: "most", 3: "all"}
LEVELS = {1: "low", 2: "medium", 3: "high"}
FAR = 50 * 365.25


def _filled(value: object) -> bool:
    return not (value is None or pd.isna(value) or value == "")


def written(value: float, unit: str) -> str:
    """Return an indicator's value as a form shows it, by the unit of the dictionary."""
    if unit.startswith("share of employers"):
        return SHARES.get(int(value), f"{value:g}")
    if unit.startswith("level"):
        return LEVELS.get(int(value), f"{value:g}")
    if unit.startswith("score"):
        return f"{value:.1f} of 5"
    if unit.startswith("USD"):
        return f"${value:,.2f}" if "hour" in unit else f"${value:,.0f}"
    return f"{value:,.0f} percent" if unit == "percent" else f"{value:,.0f}"


def answers(dictionary: pd.DataFrame, entries: pd.DataFrame, carried: pd.DataFrame) -> pd.DataFrame:
    """Return each indicator's answer: `indicator`, `form_line`, `form_unit`, `form_answer`, `form_first`,
    `form_as_of`, `form_from`.

    What was entered comes first, at its last day, with the earliest value beside it where there are two days. What was not
    is taken from `carried` (of `carried_over`). All else is "not entered", which is not zero.
    """
    ordered = entries.sort_values("date", kind="stable")
    taken = carried.set_index("indicator")
    rows = []
    for item in dictionary.itertuples():
        own = ordered[ordered["indicator"] == item.id]
        row = {"indicator": item.id, "form_line": item.label, "form_unit": item.note, "form_answer": NOT_ENTERED,
               "form_first": "", "form_as_of": "", "form_from": "nowhere yet"}  # fmt: skip
        if len(own):
            values = own["value"].dropna()
            last = own[own["date"] == own["date"].iloc[-1]].iloc[-1]
            said = [written(last["value"], item.note)] if _filled(last["value"]) else []
            said += [str(last["words"])] if _filled(last["words"]) else []
            row |= {
                "form_answer": "; ".join(said),
                "form_as_of": f"{last['date']:%Y-%m-%d}",
                "form_from": "entries",
            }
            if len(values) > 1:
                row["form_first"] = written(values.iloc[0], item.note)
        elif item.id in taken.index:
            found = taken.loc[item.id]
            row |= {"form_answer": written(found["value"], item.note), "form_as_of": found["as_of"],
                    "form_from": found["comes_from"]}  # fmt: skip
        rows.append(row)
    columns = ["indicator", "form_line", "form_unit", "form_answer", "form_first", "form_as_of", "form_from"]
    return pd.DataFrame(rows, columns=columns)


def carried_over(
    dictionary: pd.DataFrame,
    partners: pd.DataFrame,
    engagement: pd.DataFrame,
    activities: Sequence[str],
    changes: pd.DataFrame,
) -> pd.DataFrame:
    """Return what other files of the initiative say already: `indicator`, `value`, `as_of`, `comes_from`.

    Partners at the table and signed agreements from the partners; each activity of the employer engagement table as the
    median of its respondents in the latest year, rounded down (`activities` are its ids in the order of B38); each kind of
    systems change as the number adopted or spread with evidence.
    """
    rows = []
    here = convening.at_table(partners)
    if len(here):
        wave = f"wave {convening.waves(partners)[-1]}"
        signed = int(here["agreement_signed"].fillna(False).sum())
        rows += [
            ("partners_engaged", len(here), wave, "partners"),
            ("formalization", signed, wave, "partners"),
        ]
    place = {f"B38.{number}": activity for number, activity in enumerate(activities, 1)}
    latest = engagement[engagement["year"] == engagement["year"].max()].dropna(subset=["answer"])
    steps = latest["answer"].map({"none": 0, "some": 1, "most": 2, "all": 3}).astype(float)
    for item in dictionary.itertuples():
        activity = next((place[source] for source in item.sources if source in place), None)
        given = steps[latest["activity"] == activity]
        if len(given):
            year = str(latest["year"].iloc[0])
            rows.append((item.id, float(np.floor(given.median())), year, "employer engagement table"))
    if len(changes):
        firm = changes[changes["stage"].isin(["adopted", "spread"]) & changes["evidence"].map(_filled)]
        for kind in changes["kind"].dropna().unique():
            rows.append(
                (kind, int((firm["kind"] == kind).sum()), changes["month"].max(), "systems-change log")
            )
    return pd.DataFrame(rows, columns=["indicator", "value", "as_of", "comes_from"])


def lines(asked: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """Return every line of every form with its answer: the columns of `asked` and of `answers`, in the forms' order."""
    return asked.merge(answered, on="indicator", how="left", validate="many_to_one")


def coverage(filled: pd.DataFrame) -> pd.DataFrame:
    """Return how much of each form is filled in: `form_title`, `form_documents`, `form_lines`,
    `entered_lines`, `entered_pct`."""
    done = filled.assign(entered=filled["form_answer"] != NOT_ENTERED)
    table = done.groupby(["form", "form_title", "form_documents"], sort=False, as_index=False).agg(
        form_lines=("indicator", "size"), entered_lines=("entered", "sum")
    )
    return table.assign(entered_pct=100 * table["entered_lines"] / table["form_lines"])


def families(dictionary: pd.DataFrame, panel: pd.DataFrame, answered: pd.DataFrame) -> pd.DataFrame:
    """Return the skill-panel families: `panel_family`, `form_lines`, `entered_lines`.

    A family's note lists groups of indicators.
    """
    done = set(answered.loc[answered["form_answer"] != NOT_ENTERED, "indicator"])
    rows = []
    for family in panel.itertuples():
        ids = dictionary.loc[dictionary["group"].isin(family.note.split(", ")), "id"]
        rows.append((family.label, len(ids), int(ids.isin(done).sum())))
    return pd.DataFrame(rows, columns=["panel_family", "form_lines", "entered_lines"])


def on_track(goals: pd.DataFrame, entries: pd.DataFrame, dictionary: pd.DataFrame) -> pd.DataFrame:
    """Return each goal's progress: `goal_label`, `goal_reached`, `goal_value`, `goal_reached_pct`,
    `even_pace_pct`, `goal_as_of`, `goal_due`, `goal_on_track` (Y, N, not known), `goal_projected`.

    The pace is the count so far over the days since the start; `goal_projected` is the day that pace reaches the goal,
    start + days · goal / count. On track (Y) is a day no later than the due date, or a goal reached. `even_pace_pct` is
    the share of the time that is over. A goal that is no count has no pace, one without entry no answer.
    """
    labels, units = (dict(zip(dictionary["id"], dictionary[c], strict=True)) for c in ("label", "note"))
    rows = []
    for goal in goals.itertuples():
        known = entries[(entries["indicator"] == goal.indicator) & entries["value"].notna()]
        known = known[known["date"] > goal.start].sort_values("date", kind="stable")
        row = {
            "goal_label": labels[goal.indicator], "goal_reached": np.nan, "goal_value": float(goal.goal),
            "goal_reached_pct": np.nan,
            "even_pace_pct": np.nan, "goal_as_of": "", "goal_due": f"{goal.due:%Y-%m-%d}", "goal_on_track": "not known",
            "goal_projected": "no entry yet",
        }  # fmt: skip
        if units[goal.indicator] not in ("count", "USD per year"):
            row["goal_projected"] = "not a count: it has no pace"
        elif len(known):
            at, value = known["date"].iloc[-1], float(known["value"].iloc[-1])
            days, whole = (at - goal.start).days, max((goal.due - goal.start).days, 1)
            yes, when = _pace(value, float(goal.goal), days, goal.start, goal.due)
            row |= {
                "goal_reached": value, "goal_reached_pct": 100 * value / float(goal.goal), "goal_as_of": f"{at:%Y-%m-%d}",
                "even_pace_pct": min(100 * days / whole, 100.0), "goal_on_track": "Y" if yes else "N", "goal_projected": when,
            }  # fmt: skip
        rows.append(row)
    columns = ["goal_label", "goal_reached", "goal_value", "goal_reached_pct", "even_pace_pct", "goal_as_of", "goal_due",
               "goal_on_track", "goal_projected"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _pace(value: float, goal: float, days: int, start: pd.Timestamp, due: pd.Timestamp) -> tuple[bool, str]:
    if value >= goal:
        return True, "reached"
    if value <= 0:
        return False, "never at this pace"
    need = days * goal / value
    if need > FAR:
        return False, "more than fifty years off"
    end = start + pd.Timedelta(days=int(np.ceil(need)))
    return bool(end <= due), f"{end:%Y-%m-%d}"


# -- how well it works, over time -------------------------------------------------------------------------------


def effectiveness(judged: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return partners' mean answer by item and wave: `item_label`, `wave`, `judged_mean`, `judged_low`, `judged_high`,
    `judged_n`.

    95 percent t interval over the partners; none for fewer than two. In the items' order, then by wave.
    """
    rows = []
    for item in items.itertuples():
        for wave, part in judged[judged["item"] == item.id].groupby("wave"):
            v = part["answer"].to_numpy(dtype=float)
            low = high = np.nan
            if len(v) > 1:
                low, high, _ = interval(v.mean(), v.std(ddof=1) / np.sqrt(len(v)), len(v) - 1)
            rows.append((item.label, int(wave), v.mean(), low, high, len(v)))
    return pd.DataFrame(
        rows, columns=["item_label", "wave", "judged_mean", "judged_low", "judged_high", "judged_n"]
    )


def by_wave(
    judged: pd.DataFrame,
    partners: pd.DataFrame,
    ties: pd.DataFrame,
    kind_level: dict[str, int],
    dimensions: Mapping[str, Sequence[str]],
    scale: tuple[float, float],
) -> pd.DataFrame:
    """Return effectiveness beside the partner network, wave by wave.

    `wave`, `wave_partners`, `wave_answered` (partners that judged), `effectiveness_pct` (mean answer, from the lowest point
    of 1 to 5 to the highest), `density_pct` (ties of all possible), `trust_pct` and `value_pct` (of `dimensions`, scored on
    `scale`). A wave of either file has a row; what it lacks is missing.
    """
    rows = []
    for wave in sorted({*convening.waves(partners), *map(int, judged["wave"].unique())}):
        graph = convening.wave_graph(partners, ties, wave, kind_level)
        here = judged[judged["wave"] == wave]
        named = ties[ties["wave"] == wave]
        scored = {}
        if len(named):
            items = [item for names in dimensions.values() for item in names]
            rated = convening.ratings(ties, wave, items)
            _, whole = network.dimension_scores(rated, dict(dimensions), scale)
            scored = dict(zip(whole["dimension"], whole["score_pct"].astype(float), strict=True))
        rows.append(
            {
                "wave": wave,
                "wave_partners": len(graph) or np.nan,
                "wave_answered": here["partner"].nunique() or np.nan,
                "effectiveness_pct": 100 * (here["answer"].astype(float).mean() - 1) / 4,
                "density_pct": 100 * nx.density(graph) if len(graph) > 1 and len(named) else np.nan,
                "trust_pct": scored.get("trust", np.nan),
                "value_pct": scored.get("value", np.nan),
            }
        )
    columns = [
        "wave",
        "wave_partners",
        "wave_answered",
        "effectiveness_pct",
        "density_pct",
        "trust_pct",
        "value_pct",
    ]
    return pd.DataFrame(rows, columns=columns)


def row(table: pd.DataFrame, place: int) -> pd.Series:
    """Return a row by its place, -1 for the last; all missing when it is not there."""
    there = -len(table) <= place < len(table)
    return table.iloc[place] if there else pd.Series(np.nan, table.columns)
