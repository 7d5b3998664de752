"""Chapters in forked children give what chapters in kernels of their own give, and leave nothing behind."""

import importlib.metadata
import json
import os
import re
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from multiprocessing import connection
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError
from sectorbook import chapters
from sectorbook.runner import execute, preload, process, warm

pytestmark = pytest.mark.skipif(warm.why_not() is not None, reason=str(warm.why_not()))
ROOT = Path(__file__).resolve().parents[1]
Cells = list[str | tuple[str, list[str]]]


@pytest.fixture(scope="module", autouse=True)
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The entry points of pyproject.toml, also where the package was installed before they were written."""
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    folder = tmp_path_factory.mktemp("doors")
    if "sectorbook" not in importlib.metadata.entry_points(group="papermill.engine").names:
        info = folder / "doors-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: doors\nVersion: 0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(
            "\n".join(
                f"[{group}]\n" + "\n".join(f"{name} = {target}" for name, target in own.items())
                for group, own in written.items()
            ),
            encoding="utf-8",
        )
        sys.path.insert(0, str(folder))
    papermill_engines.register_entry_points()
    yield
    if str(folder) in sys.path:
        sys.path.remove(str(folder))


def notebook(path: Path, cells: Cells) -> Path:
    made = []
    for cell in cells:
        source, tags = (cell, []) if isinstance(cell, str) else cell
        made.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    book = nbformat.v4.new_notebook(cells=made)
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


def run(path: Path, out: Path, engine: str | None = "sectorbook", **options: object) -> nbformat.NotebookNode:
    options = {"kernel_name": "python3", "progress_bar": False, "engine_name": engine, **options}
    if engine is None:
        options["kernel_manager_class"] = "sectorbook.runner.kernels.FileKernelManager"
    return papermill.execute_notebook(str(path), str(out), **options)


def run_in_a_forked_kernel(path: Path, out: Path, **options: object) -> nbformat.NotebookNode:
    """Run with stock papermill, whose kernel our provisioner forks."""
    asked: list[str] = []
    fork = warm.Warm.fork
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "sectorbook-warm")
        patch.setattr(
            warm.Warm, "fork", lambda own, job, *a, **k: asked.append(job) or fork(own, job, *a, **k)
        )
        # It reads its environment once; a kernel of an earlier test has had it read.
        KernelProvisionerFactory.clear_instance()
        try:
            return run(path, out, None, **options)
        finally:
            KernelProvisionerFactory.clear_instance()
            assert asked == ["kernel"]


def outputs(book: dict) -> list[list[dict]]:
    """A notebook's outputs without what no two runs share: counts, addresses in memory, temporary file names."""
    found = []
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        own: list[dict] = []
        for output in cell["outputs"]:
            output = {key: value for key, value in output.items() if key != "execution_count"}
            for key in ("text", "traceback"):
                if key in output:
                    output[key] = re.sub(r"\S*ipykernel_\d+/\d+|0x[0-9a-f]+", "x", "".join(output[key]))
            if output.get("data"):
                output["data"] = {kind: "".join(v) for kind, v in output["data"].items()}
            if own and output["output_type"] == "stream" and own[-1].get("name") == output["name"]:
                own[-1]["text"] += output["text"]
            else:
                own.append(output)
        found.append(own)
    return found


PROBE: Cells = [
    ("size = 3", ["parameters"]),
    "print('out'); import sys; print('err', file=sys.stderr); 1 + size",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n_ = axes.plot([1, 3, 2])",
    "%matplotlib inline\nplt.rcParams['figure.dpi'] = 60\n_ = plt.plot([1, 2])\nplt.show()\nprint('after')",
    "from IPython.display import HTML, display, clear_output, Image\n"
    "display(HTML('<b>b</b>'), metadata={'k': 1})\nh = display('first', display_id='d')",
    "h.update('second')\nprint('gone')\nclear_output()\nprint('kept')",
    "import asyncio\nawait asyncio.sleep(0)\nasyncio.get_running_loop().is_running()",
    "%%capture caught\nprint('hidden')",
    "caught.stdout, In[1], get_ipython().__class__.__name__, __name__",
    "try:\n    input('?')\nexcept Exception as error:\n    print(type(error).__name__, error)",
    ("def f():\n    return 1 / 0\nf()", ["raises-exception"]),
    ("this is no python", ["raises-exception"]),
    "!echo shell\nx = !echo kept\nx",
    (
        "class Broken:\n    def _repr_html_(self):\n        raise ValueError('no')\n"
        "    def __repr__(self):\n        return 'plain'\nBroken()",
        ["raises-exception"],
    ),
    "import warnings\nwarnings.warn('careful')",
    "import logging\nlogging.warning('logged')",
    "import statsmodels.api as sm, numpy as np\nsm.OLS([1., 2., 4.], sm.add_constant(np.array([1., 2., 3.]))).fit().params",
    "import os, random, numpy as np\nos.environ['MPLBACKEND'], os.environ.get('OMP_NUM_THREADS'), plt.get_backend(), sys.path",
]


def test_outputs_are_those_of_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = notebook(tmp_path / "probe.ipynb", PROBE)
    # A kernel that sees this does not catch what subprocesses print.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")

    def kept(name: str, way: Callable[..., object], **options: object) -> nbformat.NotebookNode:
        # Papermill runs on after a cell tagged raises-exception, and raises at the end.
        with pytest.raises(PapermillExecutionError):
            way(source, tmp_path / name, parameters={"size": 5}, **options)
        return nbformat.read(tmp_path / name, 4)

    def run_as_in_a_series() -> nbformat.NotebookNode:
        """Papermill, the notebook's client and the cells all in one child, where a series of regions has them."""
        ours, theirs = connection.Pipe(duplex=False)
        target = tmp_path / "series.ipynb"
        with ours, theirs:
            ledger, reports = str(tmp_path / "ledger.json"), str(tmp_path / "reports")
            given = (str(source), str(target), ledger, {"size": 5}, reports)
            warm.shared().fork(
                "call", theirs.fileno(), function="sectorbook.runner.execute:execute_here", arguments=given
            )
            assert ours.recv().cell is not None, "papermill ends a notebook with a wrong cell as failed"
        return nbformat.read(execute.failed(target), 4)

    plain, forked = kept("plain.ipynb", run, engine=None), kept("forked.ipynb", run)
    provided, series = kept("provided.ipynb", run_in_a_forked_kernel), run_as_in_a_series()
    expected = outputs(plain)
    pictures = [o for own in expected for o in own if "image/png" in o.get("data", {})]
    assert len(pictures) == 2, "the canary itself must see pictures"
    for name, made in (("engine", forked), ("series", series), ("provisioner", provided)):
        for place, (one, other) in enumerate(zip(outputs(made), expected, strict=True)):
            assert one == other, (name, PROBE[place - 1])
    for key in ("language_info", "kernelspec"):
        assert forked.metadata[key] == plain.metadata[key]
    for one, other in zip(forked.cells, plain.cells, strict=True):
        assert one.get("execution_count") == other.get("execution_count")
        notes = [cell.metadata.get("papermill", {}) for cell in (one, other)]
        assert notes[0].keys() == notes[1].keys() and notes[0].get("status") == notes[1].get("status")
        assert one.metadata.get("execution", {}).keys() == other.metadata.get("execution", {}).keys()


def test_what_goes_past_python_is_kept(tmp_path: Path) -> None:
    """A stock kernel reads it from a pipe in its own time, and may be late: so this is not held against one."""
    cell = "import os, subprocess\n_ = subprocess.run(['echo', 'from a subprocess'])\n_ = os.write(1, b'past python\\n')"
    made = run(
        notebook(tmp_path / "probe.ipynb", [("size = 3", ["parameters"]), cell]),
        tmp_path / "out.ipynb",
        "sectorbook",
    )
    said = "".join(o.get("text", "") for c in made.cells if c.cell_type == "code" for o in c.outputs)
    assert "from a subprocess" in said and "past python" in said


@pytest.mark.parametrize("chapter", chapters.discover(), ids=lambda c: c.name)
def test_chapters_say_what_is_committed(chapter: chapters.Notebook, reports: Path, tmp_path: Path) -> None:
    committed = json.loads(chapter.path.read_text(encoding="utf-8"))
    for earlier in (c for c in chapters.discover() if chapter.reads_findings and c != chapter):
        run(earlier.path, tmp_path / "earlier.ipynb")
    made = run(chapter.path, tmp_path / "made.ipynb")

    def told(book: dict) -> list:
        return [
            [
                (
                    o["output_type"],
                    {k: v for k, v in o.get("data", {}).items() if k != "image/png"},
                    o.get("metadata"),
                )
                for o in own
            ]
            for own in outputs(book)
        ]

    assert told(made) == told(committed)
    assert sum("image/png" in o.get("data", {}) for own in outputs(made) for o in own) > 0


def test_a_chapters_pictures_are_those_of_a_kernel_byte_for_byte(reports: Path, tmp_path: Path) -> None:
    source = chapters.discover()[0].path

    def drawn(engine: str | None) -> list[str]:
        every = [output for own in outputs(run(source, tmp_path / "x.ipynb", engine)) for output in own]
        return [output["data"]["image/png"] for output in every if "image/png" in output.get("data", {})]

    pictures = [drawn("sectorbook"), drawn(None)]
    assert pictures[0] == pictures[1] and len(pictures[0]) == 2


KERNEL: Cells = [
    "import sys\nfrom ipykernel.kernelapp import IPKernelApp\nshell, app = get_ipython(), IPKernelApp.instance()\n"
    "shell is app.shell is app.kernel.shell, shell.kernel is app.kernel is shell.parent",
    "In is shell.history_manager.input_hist_parsed, sys.path, shell.user_ns['_dh']",
    "app.log_level, app.connection_file[-5:], app.extra_args, sys.argv[3:]",
    "sorted(type(one).__name__ for one in shell.configurables)",
    "shell.history_manager.enabled, shell.history_manager.hist_file, shell.config.HistoryManager",
    "files = {m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)}\n"
    "listed = set(app.kernel.debugger.kernel_modules)\n"
    "listed == set(app.kernel._kernel_modules), sum('ipykernel' in file for file in files - listed)",
    "%history",
    "%who",
    "x = 1\n%reset -f\n'x' in globals()",
    "%config",
    # A stock kernel may lose what its thread has not read from the descriptor when the cell ends: give it time.
    "import os, subprocess, time\n_ = os.write(1, b'past Python, ')\n_ = subprocess.run(['echo', 'below'])\n"
    "time.sleep(0.5)\nprint('said', flush=True)",
    "import threading\nthread = threading.Thread(target=print, args=('aside',))\nthread.start()\nthread.join()",
]


def test_a_forked_kernel_is_a_kernel_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    source = notebook(tmp_path / "kernel.ipynb", KERNEL)
    stock = outputs(run(source, tmp_path / "stock.ipynb", None))
    forked = outputs(run_in_a_forked_kernel(source, tmp_path / "forked.ipynb"))
    for place, (one, other) in enumerate(zip(forked, stock, strict=True)):
        assert one == other, KERNEL[place]


STATE = """
import os, random, sys, tempfile, warnings
import matplotlib as mpl, matplotlib.pyplot as plt, numpy as np, pandas as pd
from sectorbook import config
print(sorted(name for name in globals() if not name.startswith("_")))
print(hash(str(mpl.rcParams)), pd.get_option("display.max_rows"), os.getcwd(), plt.get_fignums(), np.geterr())
print(sorted(os.environ.items()), sys.path, warnings.filters[:3], "leak" in sys.modules, os.listdir(tempfile.gettempdir()))
print(os.umask(0o22), config.columns.cache_info().misses, __import__("locale").setlocale(0), sys.argv[0])
drawn = random.random(), np.random.random()
"""
DIRTY = """
import os, random, sys, tempfile, warnings, types
import matplotlib as mpl, matplotlib.pyplot as plt, numpy as np, pandas as pd
leaked = 1
mpl.rcParams["figure.dpi"] = 33
pd.set_option("display.max_rows", 7)
os.environ["LEAK"] = "1"
os.chdir("/")
os.umask(0)
np.seterr(all="ignore")
random.seed(1), np.random.seed(1)
sys.path.append("/leak"); sys.modules["leak"] = types.ModuleType("leak")
warnings.simplefilter("error")
import builtins; builtins.leaked = 1; len_ = builtins.len
plt.ioff(); plt.figure()
"""


def test_nothing_passes_from_one_notebook_to_the_next(tmp_path: Path) -> None:
    clean = notebook(tmp_path / "clean.ipynb", [STATE, "drawn", "'leaked' in dir(__builtins__)"])
    dirty = notebook(tmp_path / "dirty.ipynb", [DIRTY])
    first = outputs(run(clean, tmp_path / "1.ipynb"))
    run(dirty, tmp_path / "2.ipynb")
    second = outputs(run(clean, tmp_path / "3.ipynb"))
    assert first[0] == second[0] and first[2] == second[2]
    assert first[1] != second[1], "two runs draw the same numbers without a seed"


def test_a_user_whose_settings_lie_elsewhere_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = tmp_path / "settings" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "10-own.py").write_text("own = 'read at the start'", encoding="utf-8")
    cells: Cells = ["import os\nprint(own, _dh[0] == __import__('pathlib').Path(os.getcwd()))"]
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    done = run(notebook(tmp_path / "in.ipynb", cells), tmp_path / "out.ipynb")
    assert done.cells[0].outputs[0]["text"] == "read at the start True\n"


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("seen_by_the_parent", [True, False])
def test_a_users_setting_of_the_history_holds_in_a_forked_kernel_and_keeps_no_parent_from_forking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen_by_the_parent: bool, wanted: bool
) -> None:
    settings = tmp_path / "settings" / "profile_default"
    settings.mkdir(parents=True)
    (settings / "ipython_kernel_config.py").write_text(
        f"c.HistoryManager.enabled = {wanted}", encoding="utf-8"
    )
    source = notebook(tmp_path / "in.ipynb", ["get_ipython().history_manager.enabled"])
    warm._leave(os.getpid())
    if not seen_by_the_parent:
        warm.shared()
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "settings"))
    said = [
        run_in_a_forked_kernel(source, tmp_path / "kernel.ipynb").cells[-1].outputs[0].data["text/plain"],
        run(source, tmp_path / "cells.ipynb").cells[-1].outputs[0].data["text/plain"],
    ]
    warm._leave(os.getpid())
    assert said == [str(wanted), "False"]


def test_a_wrong_cell_is_named(tmp_path: Path) -> None:
    source = notebook(tmp_path / "wrong.ipynb", ["1", "print('before')\n{}['key']", "print('never')"])
    with pytest.raises(PapermillExecutionError) as caught:
        run(source, tmp_path / "out.ipynb")
    assert (caught.value.cell_index, caught.value.ename, caught.value.evalue) == (1, "KeyError", "'key'")
    kept = nbformat.read(tmp_path / "out.ipynb", 4)
    texts = [output.get("text") for cell in kept.cells for output in cell.get("outputs", [])]
    assert "before\n" in texts and "never\n" not in texts


def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    source = notebook(tmp_path / "slow.ipynb", ["while True: pass"])
    with pytest.raises(CellTimeoutError):
        run(source, tmp_path / "out.ipynb", execution_timeout=1)
    with pytest.raises(PapermillExecutionError, match="KeyboardInterrupt"):
        run(source, tmp_path / "out.ipynb", execution_timeout=1, interrupt_on_timeout=True)


@pytest.mark.parametrize("code", ["import os\nos._exit(3)", "import os\nos.kill(os.getpid(), 11)"])
def test_a_child_that_dies_is_a_dead_kernel(tmp_path: Path, code: str) -> None:
    with pytest.raises(DeadKernelError):
        run(notebook(tmp_path / "dead.ipynb", [code]), tmp_path / "out.ipynb")
    assert run(notebook(tmp_path / "next.ipynb", ["1"]), tmp_path / "out.ipynb").cells[0].outputs


def test_what_a_notebook_leaves_running_is_ended(tmp_path: Path) -> None:
    left = """
import subprocess
one = subprocess.Popen(["sleep", "600"])
two = subprocess.Popen(["setsid", "-f", "sleep", "601"])
one.pid"""
    book = run(
        notebook(tmp_path / "left.ipynb", [left, "import time; time.sleep(0.2)"]), tmp_path / "out.ipynb"
    )
    pid = int(book.cells[0].outputs[0]["data"]["text/plain"])
    assert not Path(f"/proc/{pid}").exists()
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(command.startswith(b"sleep\x00601") for command in commands)


def test_it_falls_back_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(warm.SWITCH, "1")
    source = notebook(tmp_path / "any.ipynb", ["1 + 1"])
    with caplog.at_level("WARNING", logger="papermill"):
        made = run(source, tmp_path / "out.ipynb")
    assert made.cells[0].outputs[0]["data"]["text/plain"] == "2"
    assert f"{warm.SWITCH} is set" in caplog.text
    monkeypatch.delenv(warm.SWITCH)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "darwin" in warm.why_not()


def test_a_parent_with_a_thread_refuses_to_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    from sectorbook.runner import parent

    class Client:
        said: list = []  # noqa: RUF012

        def send(self, message: tuple) -> None:
            self.said.append(message)

    monkeypatch.setattr(process, "threads", lambda: 2)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it forked"))
    parent.Parent._fork(object.__new__(parent.Parent), Client(), {"ticket": 1}, [])
    assert Client.said == [("refused", 1, "2 threads run in the parent")]


def test_a_parent_ends_with_its_owner_and_its_children_with_it(tmp_path: Path) -> None:
    own = warm.start()
    ticket = own.fork("kernel", argv=["-f", str(tmp_path / "kernel.json")])
    child = own.pids[ticket]
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait()
    for _ in range(50):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(warm.Lost):
        own.ended(ticket, 1)
    own.close()


def test_the_inline_backend_is_not_loaded_before_the_fork() -> None:
    assert preload.LATE not in preload.MODULES


def test_a_chapter_does_not_read_again_what_the_parent_read(tmp_path: Path) -> None:
    """Half of a chapter's processor time went there once, and every output was right."""
    asked = "from sectorbook import chapters, config, warehouse\nfrom sectorbook.local import files\n" + (
        "[f.cache_info().currsize > 0 for f in (config.columns, config.local, config.framework, chapters.discover,"
        " warehouse.regions, warehouse._names, warehouse._verified, files._empty)]"
    )
    warm._leave(os.getpid())  # the parent of an earlier test may have read another home
    book = run(notebook(tmp_path / "asked.ipynb", [asked]), tmp_path / "out.ipynb")
    assert book.cells[-1].outputs[0].data["text/plain"] == str([True] * 8)


def test_a_parent_whose_owner_goes_while_it_loads_goes_too() -> None:
    parent = warm.start()
    time.sleep(0.5)
    began = time.monotonic()
    parent.link.close()
    parent.process.wait(30)
    assert time.monotonic() - began < 3, "it loaded everything first"


def test_a_parent_that_is_gone_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal of a JupyterLab that was started from a warm parent outlives it."""
    warm._leave(os.getpid())
    gone = warm.start()
    gone.wait_until_ready()
    monkeypatch.setenv(warm.ADDRESS, gone.address)
    gone.close()
    assert warm.shared().process
    warm._leave(os.getpid())


def test_neither_parent_nor_kernel_says_a_word_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = warm.start()
    own.wait_until_ready()
    connected = tmp_path / "kernel.json"
    own.fork("kernel", argv=["-f", str(connected), "--transport=ipc", f"--ip={tmp_path / 'kernel'}"])
    for _ in range(100):
        if connected.exists():
            break
        time.sleep(0.1)
    assert connected.exists()
    own.close()
    assert capfd.readouterr() == ("", "")
