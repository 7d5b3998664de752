"""How a value of each unit and a figure are written out."""

import math
from io import BytesIO
from typing import Any

import PIL.Image
from matplotlib.figure import Figure

DPI = 160

NOT_PUBLISHED = "not published"


# How a number of each unit is written in a sentence or a table. Published jobs are rounded to ten by BLS.
def _usd(value: float) -> str:
    return f"-${-value:,.0f}" if round(value) < 0 else f"${abs(value):,.0f}"


FORMATS = {
    "jobs": lambda v: f"{round(v, -1):,.0f}",
    "count": lambda v: f"{v:,.0f}",
    "USD": _usd,
    "USD per year": _usd,
    "USD per quarter": _usd,
    "USD per hour": lambda v: f"${v:,.2f}",
    "percent": lambda v: f"{v:.1f}%",
    "percent, whole": lambda v: f"{v:.0f}%",
    "ratio": lambda v: f"{v:.2f}",
    "jobs per 1,000": lambda v: f"{v:.1f}",
    "rank": lambda v: f"{v:.0f}",
    "level": lambda v: f"{v:.0f}",
    "year": lambda v: f"{v:.0f}",
    "years": lambda v: f"{v:.1f}",
    "score": lambda v: f"{v:.1f}",
    "percentage points": lambda v: f"{round(v, 1) + 0.0:.1f}",
    "percent change": lambda v: f"{round(v, 1) + 0.0:+.1f}".removesuffix(".0") + "%",
    "standard deviations": lambda v: f"{round(v, 2) + 0.0:.2f}",
    "p-value": lambda v: "under 0.001" if v < 0.001 else f"{v:.3f}",
    "amount": lambda v: f"{v:,.1f}",
}


def shown(value: Any, unit: str) -> str:
    """Return a value as it is written: by its unit, or "not published" where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOT_PUBLISHED
    return FORMATS[unit](value) if unit in FORMATS else str(value)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette of 256 colours: a third of the size, and no difference to see."""
    drawn, packed = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    with PIL.Image.open(drawn) as image:
        image.convert("RGB").quantize(256, dither=PIL.Image.Dither.NONE).save(
            packed, format="png", optimize=True
        )
    return packed.getvalue()
