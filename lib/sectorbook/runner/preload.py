"""What the warm parent imports and tries once, so that no chapter has to.

Nothing here may leave a thread, an open file, a figure or a changed setting behind: every chapter inherits it.
"""

import ctypes
import gc
import importlib
import importlib.util
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# One thread: a fork copies only the thread that calls it, and the locks of the others stay shut for ever.
SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
# As in a kernel. The backend itself is imported in the child: it ties itself to the shell it finds at its import.
BACKEND = "module://matplotlib_inline.backend_inline"
LATE = "matplotlib_inline.backend_inline"
# Those of our charts: a font is looked up once for each, and for each once more in bold.
FONT_SIZES = (5.5, 5.8, 6.2, 6.8, 7, 7.5, 8, 8.5, 9, 10, 11)
# What neither a chapter nor its region's report uses: these would only take memory.
NEVER = (
    "sectorbook.__main__", "sectorbook.cli", "sectorbook.questionnaire.xlsform", "sectorbook.report.docx",
    "sectorbook.report.pdf", "sectorbook.report.printed", "sectorbook.report.site", "sectorbook.runner.hired",
    "sectorbook.workshop",
)  # fmt: skip

MODULES = (
    "numpy", "pandas", "pandas.core.reshape.reshape", "scipy.optimize", "scipy.stats", "statsmodels.api",
    "statsmodels.formula.api", "networkx", "matplotlib.figure", "matplotlib.pyplot",
    "matplotlib.backends.backend_agg", "duckdb", "PIL.PngImagePlugin", "IPython", "IPython.core.completer",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect",
    "IPython.extensions.storemagic", "ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel",
    "ipykernel.debugger", "pdb", "faulthandler", "tornado.platform.asyncio", "zmq.utils.garbage", "nbformat", "nbclient",
    "papermill", "nbconvert.exporters.html", "email.utils",
)  # fmt: skip


def _importable(name: str) -> bool:
    return importlib.util.find_spec(name.partition(".")[0]) is not None


def _import_all(between: Callable[[], None]) -> None:
    import sectorbook

    for name in MODULES:
        between()
        if _importable(name):
            importlib.import_module(name)
    for found in pkgutil.walk_packages(sectorbook.__path__, "sectorbook."):
        between()
        if not found.name.startswith(NEVER):
            importlib.import_module(found.name)
    if LATE in sys.modules:
        raise RuntimeError(f"{LATE} was imported before the fork: figures would be lost.")


def _rehearse_figure() -> None:
    """Draw what figures are made of, without pyplot, and throw it away."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from sectorbook import pictures
    from sectorbook.charts import forms

    with mpl.rc_context(forms.STYLE):
        figure = Figure(layout="tight")
        for size in FONT_SIZES:
            for weight in ("normal", "bold"):
                figure.text(0, 0, "0 1", fontsize=size, fontweight=weight)
        left, right = figure.subplots(1, 2)
        left.barh([0, 1], [1, 2], label="bars")
        left.set_yticks([0, 1], ["first", "second"])
        left.legend()
        right.scatter([10, 1000], [1, 2])
        right.set_xscale("log")
        right.annotate(
            "note", (10, 1), xytext=(3, 3), textcoords="offset points", arrowprops={"arrowstyle": "->"}
        )
        for axes, kind in ((left, mpl.ticker.StrMethodFormatter), (right, mpl.ticker.FormatStrFormatter)):
            axes.xaxis.set_major_formatter(kind("{x:,.0f}" if axes is left else "%d"))
        pictures.png(figure)


def _rehearse_notebook() -> None:
    """Read, fill in, check and write a notebook: the checkers are built from their schema at first use."""
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    cell = nbformat.v4.new_code_cell("size = 1  # size", metadata={"tags": ["parameters"]})
    output = nbformat.v4.new_output("display_data", {"text/plain": "text"})
    cell.outputs = [output, nbformat.v4.new_output("stream", text="text")]
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Title"), cell], metadata={"kernelspec": spec}
    )
    with tempfile.NamedTemporaryFile("w", suffix=".ipynb", encoding="utf-8") as file:
        nbformat.write(book, file)
        file.flush()
        loaded = load_notebook_node(file.name)
    nbformat.writes(parameterize_notebook(loaded, {"size": 2}, kernel_name="python3", language="python"))


def _rehearse_tables() -> None:
    """Make, select, group and write out a table."""
    import pandas as pd

    frame = pd.DataFrame({"label": ["a", "b", "b"], "value": [1.0, 2.0, None]})
    frame.groupby("label", as_index=False).value.sum().merge(frame, on="label").sort_values(
        "label"
    ).to_string()
    frame.assign(more=frame.value * 2).pivot_table("value", "label").to_html()


def _rehearse() -> None:
    """Go once through what every chapter does: libraries load and build parts of themselves at first use."""
    _rehearse_figure()
    _rehearse_notebook()
    _rehearse_tables()


def _stamp() -> tuple:
    """Return what tells that the configuration, the data and their place are the ones remembered."""
    from sectorbook import paths

    sizes = []
    for top, ending in ((paths.config(), ".yml"), (paths.notebooks(), ".ipynb"), (paths.processed(), "")):
        for folder, _, names in os.walk(top):  # half of the time that Path.rglob takes, in every chapter
            for path in (Path(folder, name) for name in names if name.endswith(ending)):
                found = path.stat()
                sizes.append((str(path), found.st_size, found.st_mtime_ns))
    return (str(paths.root()), tuple(sorted(sizes)))


def _remember() -> tuple:
    """Read the configuration and the lists of regions and industries once; return their stamp."""
    from sectorbook import chapters, config, slices, warehouse
    from sectorbook.local import files
    from sectorbook.measures import staffing

    stamp = _stamp()
    warehouse.regions(), warehouse._names(), warehouse._industries(), chapters.discover()
    config.columns(), config.sectors(), config.audiences(), config.local()
    for table, source in warehouse.tables().items():
        if warehouse.vintages(source):
            slices.columns(warehouse._parquet(table))
    warehouse.load("oews_staffing", columns=staffing.COLUMNS)
    warehouse.load("oews_occupations", "national")
    warehouse.load("county_shapes")
    for name in config.frameworks():
        config.framework(name)
    for name in config.local():
        files.empty(name)
    return stamp


def forget_if_changed(stamp: tuple | None) -> None:
    """In a child: drop what the parent remembered unless the files it came from are still the same."""
    from sectorbook import chapters, config, paths, slices, warehouse
    from sectorbook.local import files

    if stamp is not None and stamp[0] == str(paths.root()) and stamp == _stamp():
        return
    for module in (chapters, config, files, slices, warehouse):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _give_back() -> None:
    """Return to the system what imports used and freed, where its C library (the GNU one) can: every child would share it."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def warm_up(between: Callable[[], None]) -> tuple | None:
    """Import and rehearse; return the stamp of what is remembered, None when nothing could be read.

    `between` is called before each step, so that who does not want to wait for all of them can leave.
    """
    from sectorbook.errors import SectorbookError

    os.environ["MPLBACKEND"] = BACKEND
    _import_all(between)
    from sectorbook.runner import ready

    between()
    _rehearse()
    between()
    ready.prepare()
    between()
    try:
        stamp = _remember()
    except SectorbookError:
        # The chapters will say what is wrong, each under its own name.
        stamp = None
    gc.collect()
    _give_back()
    gc.freeze()
    return stamp
