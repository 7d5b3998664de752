"""Career ladders: one row a rung, higher is better paid, further right takes more preparation."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from sectorbook.charts.forms import (
    CONTEXT,
    FOCUS,
    INK,
    MUTED,
    RAMP,
    STYLE,
    WARM,
    _canvas,
    _described,
    _nothing,
)

_BOX = 0.72  # a box's share of its column; what is left is the lane the arrows run in
_LABEL = 0.55  # rows from one label of a lane to the next


def ladder(
    rungs: pd.DataFrame,
    moves: pd.DataFrame,
    aim_annual_usd: float,
    aim_label: str,
    columns: dict[int, str],
    title: str,
    note: str,
) -> Figure:
    """Draw occupations as boxes and the moves between them as arrows.

    `rungs`: occupation_code, occupation_title, wage_annual_p50_usd, job_zone, lowest pay first; `moves`: occupation_code,
    next_occupation_code, months_low, months_high. Each rung has a row of its own, the best paid on top, in the column of its job
    zone (`columns` gives their heads). Arrows run in the lanes between the columns, so none crosses a box, and carry
    the months of preparation they add. The line is drawn between the rungs under `aim_annual_usd` and those that reach it.
    """
    if rungs.empty or moves.empty:
        return _nothing(title, note)
    zones = sorted(rungs.job_zone.astype(int).unique())
    spot = {
        row.occupation_code: (zones.index(int(row.job_zone)), i) for i, row in enumerate(rungs.itertuples())
    }
    reached = rungs.wage_annual_p50_usd >= aim_annual_usd
    line = int((~reached).sum()) - 0.5
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1.5 + 0.47 * len(rungs), title, note)
        axes.set_xlim(-_BOX / 2 - 0.36, len(zones) - 1 + _BOX / 2 + 0.3)
        axes.set_ylim(-0.6, len(rungs) - 0.45)
        axes.set_xticks(range(len(zones)), [columns[zone] for zone in zones], fontsize=8)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.axhline(line, color=WARM, linewidth=1.3, linestyle=(0, (5, 3)), zorder=1)
        first = rungs[reached].head(1).job_zone.tolist()
        left = first != [zones[0]]  # where the next box above the line is not
        axes.annotate(
            aim_label, (0 if left else 1, line), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
            ha="left" if left else "right", va="bottom", fontsize=7.5, color=WARM, fontweight="bold", zorder=5,
        )  # fmt: skip
        width = 98 / (len(zones) + 0.6)
        for (column, row), job, up in zip(spot.values(), rungs.itertuples(), reached, strict=True):
            _rung(axes, column, row, job.occupation_title, job.wage_annual_p50_usd, bool(up), width)
        _arrows(axes, moves, spot)
    top, bottom = rungs.iloc[-1], rungs.iloc[0]
    told = "; ".join(
        f"{_title(rungs, m.occupation_code)} to {_title(rungs, m.next_occupation_code)}, {months(m.months_low, m.months_high)}"
        for m in moves.itertuples()
    )
    return _described(
        figure,
        f"{title}. A ladder of {len(rungs)} occupations, from {bottom.occupation_title}, ${bottom.wage_annual_p50_usd:,.0f}, to "
        f"{top.occupation_title}, ${top.wage_annual_p50_usd:,.0f}. {int(reached.sum())} reach the line: {aim_label}. "
        f"Moves: {told}.",
    )


def months(low: float, high: float) -> str:
    """Return added preparation as it is written: "9–12 months", "no added study" for 0."""
    if high == 0:
        return "no added study"
    return f"{low:.0f}–{high:.0f} months" if low < high else f"{high:.0f} months"


def _title(rungs: pd.DataFrame, code: str) -> str:
    return str(rungs.set_index("occupation_code").occupation_title[code])


def _rung(axes: Axes, column: int, row: int, title: str, wage: float, up: bool, width: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (column - _BOX / 2, row - 0.36), _BOX, 0.72, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=FOCUS if up else RAMP[0], edgecolor="white", linewidth=1, zorder=3, mutation_aspect=2,
        )
    )  # fmt: skip
    lines = textwrap.wrap(title, max(int(width), 12))
    shown = (
        lines
        if len(lines) <= 2
        else [lines[0], textwrap.shorten(" ".join(lines[1:]), int(width), placeholder=" …")]
    )
    axes.text(
        column, row, "\n".join([*shown, f"${wage:,.0f}"]), ha="center", va="center", fontsize=6.8, linespacing=1.15,
        color="white" if up else INK, zorder=4,
    )  # fmt: skip


def _arrows(axes: Axes, moves: pd.DataFrame, spot: dict[str, tuple[int, int]]) -> None:
    """Draw each move out of a box's right side (left, when it leads to an earlier column), along a lane of its own, and in."""
    pairs = sorted(
        ((spot[m.occupation_code], spot[m.next_occupation_code], m) for m in moves.itertuples()),
        key=lambda pair: (pair[0][0], pair[1][1], -pair[0][1]),
    )
    gutters: dict[int, list] = {}
    for start, end, move in pairs:
        gutters.setdefault(min(start[0], end[0]) if start[0] != end[0] else start[0], []).append(
            (start, end, move)
        )
    for gutter, inside in gutters.items():
        written: list[float] = []
        targets = sorted({end for _, end, _ in inside}, key=lambda spot: spot[1])
        for start, end, move in inside:
            # Moves to one occupation share a lane: they run together into one arrow.
            lane = (targets.index(end) + 1) / (len(targets) + 1)
            x = gutter + _BOX / 2 + lane * (1 - _BOX)
            out = 1 if end[0] >= start[0] else -1
            into = 1 if end[0] <= start[0] else -1
            low = start[1] + 0.22
            high = end[1] - 0.12 if out == 1 and into == -1 else end[1] - 0.2
            axes.plot(
                [start[0] + out * _BOX / 2, x, x], [low, low, high], color=MUTED, linewidth=1.1, zorder=2, solid_joinstyle="round"
            )  # fmt: skip
            axes.annotate(
                "", (end[0] + into * _BOX / 2, high), (x, high), zorder=2,
                arrowprops={"arrowstyle": "-|>", "color": MUTED, "lw": 1.1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8},
            )  # fmt: skip
            if move.months_high > 0:
                room = (
                    np.linspace(low + 0.3, high - 0.3, 15)
                    if high - low > 0.8
                    else np.array([(low + high) / 2])
                )
                far = [min((abs(y - other) for other in written), default=np.inf) for y in room]
                free = [y for y, gap in zip(room, far, strict=True) if gap >= _LABEL]
                y = min(free, key=lambda y: abs(y - room.mean())) if free else room[int(np.argmax(far))]
                written.append(y)
                axes.text(
                    x, y, months(move.months_low, move.months_high).replace(" ", "\n"), ha="center", va="center",
                    fontsize=5.8, color=INK, linespacing=1.0, zorder=2.5,
                    bbox={"facecolor": "white", "edgecolor": CONTEXT, "linewidth": 0.5, "boxstyle": "round,pad=0.15"},
                )  # fmt: skip
