"""Charts of what is not known exactly: intervals, bands over time, and what a result hangs on."""

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

# Told apart by lightness as well as by colour.
LINES = (FOCUS, WARM, "#7fb0a5", "#1b2733", "#a9b7c4", "#8a5a9b")


def intervals(
    frame: pd.DataFrame,
    label: str,
    value: str,
    low: str,
    high: str,
    axis_label: str,
    title: str,
    note: str,
    number: str = "{:.0f}",
    span: tuple[float, float] | None = None,
) -> Figure:
    """Draw one dot with its interval per row; `number` writes the value, `span` are the ends of the
    axis. A row without a value shows its interval."""
    shown = frame.dropna(subset=[low, high])
    if shown.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.2 + 0.3 * len(shown), title, note)
        spots = _rows(axes, _wrapped(shown[label], 48))
        axes.hlines(spots, shown[low], shown[high], color=CONTEXT, linewidth=5, zorder=2)
        axes.plot(shown[value], spots, "o", color=FOCUS, markersize=6.5)
        for y, middle in zip(spots, shown[value], strict=True):
            if not pd.isna(middle):
                axes.annotate(
                    number.format(middle), (1, y), xycoords=("axes fraction", "data"), xytext=(6, 0),
                    textcoords="offset points", va="center", fontsize=8, color=INK,
                )  # fmt: skip
        axes.set_xlabel(axis_label)
        axes.margins(x=0.04)
        if span is not None:
            pad = 0.03 * (span[1] - span[0])
            axes.set_xlim(span[0] - pad, span[1] + pad)
    parts = [
        f"{r[label]}, {number.format(r[value])} ({number.format(r[low])} to {number.format(r[high])})"
        for _, r in shown.iterrows()
    ]
    return _described(figure, f"{title}. Dots with intervals, {len(shown)} rows: {'; '.join(parts[:12])}.")


def bands(
    frame: pd.DataFrame,
    x: str,
    series: dict[str, str],
    axis_label: str,
    title: str,
    note: str,
    floor: float | None = None,
) -> Figure:
    """Draw one line per series over the rows of `frame`, with a band where `<column>_low` and `<column>_high` are there.

    `series`: column -> name. `floor` draws a dashed line, such as no money left. Names stand at the ends of the lines.
    """
    shown = frame.dropna(subset=list(series), how="all")
    if shown.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(3.4, title, note)
        spots = np.arange(len(shown))
        for (column, name), colour in zip(series.items(), LINES, strict=False):
            values = shown[column].astype(float).to_numpy()
            if f"{column}_low" in shown:
                low, high = (shown[f"{column}_{end}"].astype(float).to_numpy() for end in ("low", "high"))
                axes.fill_between(spots, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(
                spots,
                values,
                color=colour,
                linewidth=2.2,
                marker="o" if len(shown) < 16 else None,
                markersize=4,
                label=name,
            )
        if floor is not None:
            axes.axhline(floor, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        step = -(-len(shown) // 8)
        axes.set_xticks(spots[::step], [str(v) for v in shown[x]][::step])
        axes.set_ylabel(axis_label)
        axes.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(len(series), 4), fontsize=8)
        axes.margins(x=0.03)
    ends = [
        f"{name} from {shown[column].iloc[0]:,.0f} to {shown[column].iloc[-1]:,.0f}"
        for column, name in series.items()
    ]
    return _described(
        figure,
        f"{title}. Lines over {len(shown)} points, {shown[x].iloc[0]} to {shown[x].iloc[-1]}: {'; '.join(ends)}.",
    )


def tornado(frame: pd.DataFrame, label: str, axis_label: str, title: str, note: str) -> Figure:
    """Draw how a result moves with each assumption: `at_low`, `at_high` around `at_base`, `low` and `high` at the ends."""
    if frame.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.3 + 0.42 * len(frame), title, note)
        spots = _rows(axes, _wrapped(frame[label], 40))
        base = frame["at_base"].iloc[0]
        for y, row in zip(spots, frame.itertuples(), strict=True):
            for at, given, colour in ((row.at_low, row.low, CONTEXT), (row.at_high, row.high, FOCUS)):
                axes.barh(y, at - base, left=base, height=0.6, color=colour)
                axes.annotate(
                    _value(given), (at, y), xytext=(4 if at >= base else -4, 0), textcoords="offset points",
                    va="center", ha="left" if at >= base else "right", fontsize=7.5, color=MUTED,
                )  # fmt: skip
        axes.axvline(base, color=INK, linewidth=1.2)
        axes.barh([0], [0], left=base, color=CONTEXT, label="At its low value")
        axes.barh([0], [0], left=base, color=FOCUS, label="At its high value")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
        axes.set_xlabel(axis_label)
        axes.margins(x=0.14)
    top = frame.iloc[0]
    return _described(
        figure,
        f"{title}. {len(frame)} assumptions, the widest first: {top[label]}, {top['at_low']:,.0f} to "
        f"{top['at_high']:,.0f} around {base:,.0f}.",
    )


def _value(number: float) -> str:
    return f"{number:,.2f}" if abs(number) < 10 else f"{number:,.0f}"


def grouped_intervals(
    frame: pd.DataFrame,
    label: str,
    group: str,
    value: str,
    low: str,
    high: str,
    axis_label: str,
    title: str,
    note: str,
    number: str = "{:.0f}",
) -> Figure:
    """Draw several dots with intervals per label, one colour per group, so that the same estimate made several ways lies
    together. `number` writes the values of the text alternative."""
    shown = frame.dropna(subset=[value, low, high])
    if shown.empty:
        return _nothing(title, note)
    labels, groups = list(dict.fromkeys(shown[label])), list(dict.fromkeys(shown[group]))
    step = 0.72 / len(groups)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.4 + (0.16 + 0.17 * len(groups)) * len(labels), title, note)
        _rows(axes, _wrapped(pd.Series(labels), 44))
        for place, (name, colour) in enumerate(zip(groups, LINES, strict=False)):
            part = shown[shown[group] == name]
            spots = [labels.index(text) + (place - (len(groups) - 1) / 2) * step for text in part[label]]
            axes.hlines(spots, part[low], part[high], color=colour, linewidth=2.4, alpha=0.45)
            axes.plot(part[value], spots, "o", color=colour, markersize=5.5, label=name)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(groups), fontsize=8)
        axes.set_xlabel(axis_label)
        axes.margins(x=0.04)
    parts = [
        f"{text}: " + ", ".join(f"{r[group].lower()} {number.format(r[value])}" for _, r in rows.iterrows())
        for text, rows in shown.groupby(label, sort=False)
    ]
    return _described(
        figure, f"{title}. {len(labels)} estimates, each made {len(groups)} ways: {'; '.join(parts)}."
    )


def before_after(
    frame: pd.DataFrame,
    label: str,
    before: str,
    after: str,
    names: tuple[str, str],
    axis_label: str,
    title: str,
    note: str,
    number: str = "{:.0f}",
) -> Figure:
    """Draw a line per row from an open mark (before) to a filled one (after), both ends named by `names`."""
    shown = frame.dropna(subset=[before, after])
    if shown.empty:
        return _nothing(title, note)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.4 + 0.3 * len(shown), title, note)
        spots = _rows(axes, _wrapped(shown[label], 48))
        grew = (shown[after] >= shown[before]).to_numpy()
        axes.hlines(
            spots, shown[before], shown[after], color=np.where(grew, FOCUS, WARM), linewidth=2.6, alpha=0.6
        )
        axes.plot(
            shown[before],
            spots,
            "o",
            markerfacecolor="white",
            markeredgecolor=MUTED,
            markersize=7,
            label=names[0],
        )
        axes.plot(shown[after], spots, "o", color=INK, markersize=6.5, label=names[1])
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
        axes.set_xlabel(axis_label)
        axes.margins(x=0.05)
    parts = [
        f"{r[label]}, {number.format(r[before])} to {number.format(r[after])}" for _, r in shown.iterrows()
    ]
    return _described(figure, f"{title}. From {names[0]} to {names[1]}: {'; '.join(parts[:12])}.")
