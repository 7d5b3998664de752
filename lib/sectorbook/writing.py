"""How a value is written: by its unit in a sentence, by its status in a table."""

import math
from html import escape
from typing import Any

import pandas as pd

NOT_PUBLISHED = "not published"

# How a number of each unit is written in a sentence or a table. Published jobs are rounded to ten by BLS.
FORMATS = {
    "jobs": lambda v: f"{round(v, -1):,.0f}",
    "count": lambda v: f"{v:,.0f}",
    "establishments": lambda v: f"{v:,.0f}",
    "USD": lambda v: f"${v:,.0f}".replace("$-", "-$"),
    "USD per year": lambda v: f"${v:,.0f}",
    "USD per hour": lambda v: f"${v:,.2f}",
    "percent": lambda v: f"{v:.1f}%",
    "percentage points": lambda v: f"{v:.2f}",
    "percent, whole": lambda v: f"{v:.0f}%",
    "ratio": lambda v: f"{v:.2f}",
    "jobs per 1,000": lambda v: f"{v:.1f}",
    "rank": lambda v: f"{v:.0f}",
    "level": lambda v: f"{v:.0f}",
    "years": lambda v: f"{v:.1f}",
    "p-value": lambda v: "under 0.001" if v < 0.001 else f"{v:.3f}",
    "standard deviations": lambda v: f"{round(v, 2) + 0.0:.2f}",
    "USD per quarter": lambda v: f"${v:,.0f}".replace("$-", "-$"),
    "amount": lambda v: f"{v:,.1f}",
    "percent change": lambda v: f"{round(v, 1) + 0.0:+.1f}%",
    "log points": lambda v: f"{v:.3f}",
}


def shown(value: Any, unit: str) -> str:
    """Return a value as it is written: by its unit, or "not published" where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOT_PUBLISHED
    return FORMATS[unit](value) if unit in FORMATS else str(value)


def clean(value: Any) -> Any:
    """Return a table cell as JSON holds it: six significant digits and never fewer than the whole number, None for missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if abs(value) < 1e6 else round(value, 0)


def cells(frame: pd.DataFrame, column: str, unit: str, missing: str = NOT_PUBLISHED) -> list[str]:
    """Return one column as it is written, withheld and top-coded values by name, missing ones as `missing`."""
    status = frame.get(f"{column.removesuffix('_usd').removesuffix('_pct')}_status")
    known = [clean(value) for value in frame[column]]
    texts = [missing if value is None else shown(value, unit) for value in known]
    if status is None:
        return texts
    top = frame.get("top_code_hourly_usd" if "hourly" in column else "top_code_annual_usd")
    for i, state in enumerate(status):
        if state == "top-coded":
            texts[i] = f"{shown(float(top.iloc[i]), unit)} or more"
        elif state != "published":
            texts[i] = state.replace("-", " ")
    return texts


def table_html(table: dict) -> str:
    """Return a recorded table as HTML: caption, a header row with units, right-aligned numbers."""

    def css(column: dict) -> str:
        return "code" if column["unit"].endswith("code") else column["type"]

    def unit(column: dict) -> str:
        written = column["type"] in ("number", "integer") and column["unit"] not in ("rank", "count")
        return f"<br><small>{escape(column['unit'].split(',')[0])}</small>" if written else ""

    columns = table["columns"]
    head = "".join(f'<th scope="col" class="{css(c)}">{escape(c["label"])}{unit(c)}</th>' for c in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{css(c)}">{escape(cell)}</td>' for c, cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in table["cells"]
    )
    caption = f"<caption>{escape(table['title'])}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table_text(table: dict) -> str:
    """Return a recorded table as plain text, its title first."""
    frame = pd.DataFrame(table["cells"], columns=[c["label"] for c in table["columns"]])
    return f"{table['title']}\n{frame.to_string(index=False)}"
