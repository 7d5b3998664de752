"""Charts of what changed at employers."""

import matplotlib as mpl
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


def _pct(value: float) -> str:
    return "none" if pd.isna(value) else f"{value:+.0f}%"


def reported_changes(
    frame: pd.DataFrame, label: str, reported: str, own: str, comparison: str, title: str, note: str
) -> Figure:
    """Draw percent changes of a measure a row: as reported elsewhere, at employers here, and at comparison firms here."""
    if frame.empty:
        return _nothing(title, note)
    marks = ((reported, "D", WARM, WARM, "Reported elsewhere"), (own, "o", FOCUS, FOCUS, "Employers that take part, here"),
             (comparison, "o", "white", MUTED, "Other employers, here"))  # fmt: skip
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.7 + 0.36 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 40))
        for column, shape, face, edge, name in marks:
            axes.plot(
                frame[column].astype(float), spots, shape, color=face, markeredgecolor=edge, markeredgewidth=1.6,
                markersize=7, label=name, linestyle="none",
            )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, fontsize=8)
        axes.xaxis.set_major_formatter(lambda v, _: f"{v:+.0f}%" if v else "0%")
        axes.set_xlabel("Percent change")
        axes.margins(x=0.06)
    told = "; ".join(
        f"{row[label]}: reported {_pct(row[reported])}, here {_pct(row[own])}, comparison {_pct(row[comparison])}"
        for _, row in frame.iterrows()
    )
    return _described(figure, f"{title}. Percent changes. {told}.")


def gap_by_year(
    frame: pd.DataFrame,
    year: str,
    value: str,
    low: str,
    high: str,
    start: float,
    axis_label: str,
    title: str,
    note: str,
) -> Figure:
    """Draw a gap a year with its interval, open before the `start` and filled from then on."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(3.6, title, note)
        axes.axhline(0, color=INK, linewidth=0.9)
        axes.vlines(
            frame[year], frame[low].astype(float), frame[high].astype(float), color=CONTEXT, linewidth=2.6
        )
        after = (frame[year] >= start).to_numpy()
        axes.plot(
            frame[year][after], frame[value][after], "o", color=FOCUS, markersize=6.5, label="From the start"
        )
        axes.plot(
            frame[year][~after], frame[value][~after], "o", color="white", markeredgecolor=MUTED, markeredgewidth=1.6,
            label="Before the start",
        )  # fmt: skip
        axes.axvline(start - 0.5, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        axes.set_ylabel(axis_label)
        axes.set_xlabel("Year")
    told = "; ".join(f"{r[year]:.0f}: {r[value]:.1f}" for _, r in frame.iterrows())
    return _described(
        figure, f"{title}. {axis_label} by year. {told}. Employers take part from {start:.0f} on."
    )
