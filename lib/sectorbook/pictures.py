"""A figure as a picture for notebooks and reports."""

from io import BytesIO

import matplotlib as mpl
import numpy as np
import PIL.Image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 160


def _with_palette(dots: np.ndarray) -> PIL.Image.Image:
    """Return an image (lines × dots × red, green, blue, opacity) with a palette of 256 colours.

    Most neighbors are alike, so colours are looked for among runs of equal dots, not among dots.
    """
    line = np.ascontiguousarray(dots).view(np.uint32).ravel()
    starts = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    colours, which = np.unique(line[starts], return_inverse=True)
    few = (
        PIL.Image.fromarray(colours.view(np.uint8).reshape(1, -1, 4))
        .convert("RGB")
        .quantize(256, method=PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE)
    )
    places = np.asarray(few)[0][which].repeat(np.diff(starts, append=line.size))
    image = PIL.Image.fromarray(places.reshape(dots.shape[:2]))
    image.putpalette(few.getpalette())
    return image


def png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette of 256 colours: a third of the size, and no difference to see."""
    canvas, packed = FigureCanvasAgg(figure), BytesIO()
    figure.set_dpi(DPI)
    # Drawn once, where `savefig` draws twice. Hints are for letters of few dots: here they only cost a third of the time.
    with mpl.rc_context({"text.hinting": "no_hinting"}):
        canvas.draw()
    _with_palette(np.asarray(canvas.buffer_rgba())).save(packed, format="png")
    return packed.getvalue()
