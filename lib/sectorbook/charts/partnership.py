"""Charts of goals on their way and of changes in a system."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sectorbook.charts.forms import (
    CONTEXT,
    FOCUS,
    INK,
    MUTED,
    STYLE,
    WARM,
    _canvas,
    _described,
    _nothing,
    _rows,
    _wrapped,
)  # fmt: skip


def progress(frame: pd.DataFrame, title: str, note: str) -> Figure:
    """Draw how far each goal is, in percent, beside where an even pace would be.

    `frame`: `goal_label`, `goal_reached_pct`, `even_pace_pct`, `goal_on_track` (Y, N or another word), `goal_projected`.
    """
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.5 + 0.36 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame["goal_label"], 40))
        colours = [{"Y": FOCUS, "N": WARM}.get(said, CONTEXT) for said in frame["goal_on_track"]]
        reached = frame["goal_reached_pct"].fillna(0).clip(upper=115)
        axes.barh(spots, reached, height=0.62, color=colours)
        axes.plot(frame["even_pace_pct"], spots, "|", color=INK, markersize=14, markeredgewidth=2.2)
        axes.axvline(100, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        for y, row in zip(spots, frame.itertuples(), strict=True):
            said = {"Y": "on track", "N": "behind"}.get(row.goal_on_track, row.goal_on_track)
            axes.annotate(
                f"{said}: {row.goal_projected}", (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=8, color=INK,
            )  # fmt: skip
        axes.barh([0], [0], color=FOCUS, label="On track")
        axes.barh([0], [0], color=WARM, label="Behind")
        axes.plot([], [], "|", color=INK, markersize=12, markeredgewidth=2.2, label="Even pace today")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8)
        axes.set_xlabel("Percent of the goal")
        axes.set_xlim(0, 118)
    told = "; ".join(
        f"{row.goal_label}: {'no entry' if pd.isna(row.goal_reached_pct) else f'{row.goal_reached_pct:.0f} percent'}, "
        f"on track {row.goal_on_track}, {row.goal_projected}"
        for row in frame.itertuples()
    )
    return _described(figure, f"{title}. Bars in percent of the goal. {told}.")


def timeline(frame: pd.DataFrame, title: str, note: str) -> Figure:
    """Draw dated changes, one a row, by arena; the further along a change is, the larger its mark.

    `frame`: `date`, `arena`, `change`, `stage`, `stage_level` (1 to 4).
    """
    if frame.empty:
        return _nothing(title, note)
    lanes = sorted(frame["arena"].unique())
    frame = frame.sort_values(["arena", "date", "change"])
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.7 + 0.42 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame["change"], 40))
        for name, colour, shape in zip(lanes, (FOCUS, WARM, MUTED), ("o", "s", "D"), strict=False):
            here = (frame["arena"] == name).to_numpy()
            sizes = 30 + 30 * frame["stage_level"][here]
            axes.scatter(
                frame["date"][here], spots[here], s=sizes, color=colour, marker=shape, label=name, zorder=3
            )
        for y, stage in zip(spots, frame["stage"], strict=True):
            axes.annotate(
                stage, (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
                va="center", fontsize=8, color=INK,
            )  # fmt: skip
        handles = axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, fontsize=8)
        for handle in handles.legend_handles:
            handle.set_sizes([45])
        first, last = frame["date"].min(), frame["date"].max()
        pad = max((last - first) * 0.08, np.timedelta64(20, "D"))
        axes.set_xlim(first - pad, last + pad)
        axes.xaxis.set_major_locator(mpl.dates.AutoDateLocator(minticks=2, maxticks=7))
        axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%b %Y"))
    told = "; ".join(f"{r.date:%B %Y}, {r.arena}: {r.change}, {r.stage}" for r in frame.itertuples())
    return _described(figure, f"{title}. {told}.")
