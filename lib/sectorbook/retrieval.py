"""Retrieval of publishers' files: resumed, retried, checked, never kept by halves. The only module on the network."""

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import tenacity

from sectorbook import __version__, archives, paths
from sectorbook.errors import SectorbookError
from sectorbook.provenance import (
    SIDECAR,
    Fetch,
    File,
    Frozen,
    Request,
    Sidecar,
    describe,
    read_sidecar,
    write_sidecar,
)


class Manners(Frozen):
    """How a download behaves towards a server. Times are in seconds."""

    contact: str | None = None
    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    connect_timeout_s: float = 15.0
    read_timeout_s: float = 60.0
    file_timeout_s: float = 3600.0
    gap_s: float = 0.25
    max_bytes: int = 4 << 30
    max_redirects: int = 5


class _Passing(Exception):
    """A fault that may be gone at the next attempt."""

    def __init__(self, why: str, wait_s: float = 0.0):
        super().__init__(why)
        self.wait_s = wait_s


_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_HTML = (b"<!doctype html", b"<html")


def _agent(contact: str | None) -> str:
    about = f"; contact: {contact}" if contact else ""
    return f"sectorbook/{__version__} (workforce research{about})"


def _retry_after(response: httpx.Response, longest_s: float) -> float:
    """Return the seconds a server asks to wait, at most `longest_s`."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text), longest_s)
    try:
        due = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    due = due if due.tzinfo else due.replace(tzinfo=UTC)
    return min(max((due - datetime.now(UTC)).total_seconds(), 0.0), longest_s)


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what proves that a later answer is the same file: a strong ETag, else the date of change."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified")


class _Partial:
    """The bytes so far of one file, under a hidden name, with the address and validator they belong to."""

    def __init__(self, target: Path):
        self.path = target.with_name(f".{target.name}.part")
        self.note = target.with_name(f".{target.name}.part.json")

    def start(self, url: str) -> tuple[int, str | None]:
        """Return how many bytes can be kept and the validator that must still hold."""
        if self.path.exists() and self.note.exists():
            note = json.loads(self.note.read_text(encoding="utf-8"))
            if note["url"] == url and note["validator"]:
                return self.path.stat().st_size, note["validator"]
        self.discard()
        return 0, None

    def remember(self, url: str, validator: str | None) -> None:
        with paths.write_atomic(self.note) as file:
            json.dump({"url": url, "validator": validator}, file)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def keep_only_if_resumable(self) -> None:
        if not self.note.exists() or not json.loads(self.note.read_text(encoding="utf-8"))["validator"]:
            self.discard()


def _total(response: httpx.Response, start: int, url: str) -> int | None:
    """Return the full size of the file an answer belongs to, after checking that it continues at `start`."""
    if response.status_code == 206:
        first, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
        if not first.startswith(f"{start}-"):
            raise SectorbookError(f"{url} answered with another part of the file than the one asked for.")
        return int(total) if total.isdigit() else None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _refuse_answer(response: httpx.Response, request: Request, manners: Manners) -> None:
    """Raise for a status, redirect or content type that cannot be the file."""
    code, url = response.status_code, request.url
    hops = [*response.history, response]
    if any(a.url.scheme == "https" and b.url.scheme != "https" for a, b in itertools.pairwise(hops)):
        raise SectorbookError(f"{url} leads to an address without encryption ({response.url}). Not followed.")
    if code in _PASSING_STATUS:
        raise _Passing(f"the server answered {code}", _retry_after(response, manners.longest_wait_s))
    if code in (404, 410):
        raise SectorbookError(
            f"{url} is not there (status {code}). Check the year and the codes: not every release has every file."
        )
    if code not in (200, 206):
        hint = " BLS asks for a contact address: give one." if code == 403 and not manners.contact else ""
        raise SectorbookError(f"{url} was refused by the server (status {code}).{hint}")
    if (packed := response.headers.get("content-encoding", "identity")) != "identity":
        raise SectorbookError(
            f"{url} was sent packed ({packed}) though this was not asked for. Nothing was kept."
        )
    if "html" in response.headers.get("content-type", "") and not request.name.endswith((".html", ".htm")):
        raise SectorbookError(f"{url} answered with a web page, not with {request.name}. Nothing was kept.")


def _attempt(
    client: httpx.Client, request: Request, address: str, partial: _Partial, manners: Manners
) -> None:
    """Fetch what is missing of one file into `partial`. Raises _Passing where another attempt may help."""
    start, validator = partial.start(request.url)
    headers = {"Range": f"bytes={start}-", "If-Range": validator} if start and validator else {}
    began = time.monotonic()
    try:
        with client.stream("GET", address, headers=headers) as response:
            if response.status_code == 416:
                partial.discard()
                raise _Passing("the part already here does not fit the file")
            _refuse_answer(response, request, manners)
            resumed = response.status_code == 206
            total = _total(response, start if resumed else 0, request.url)
            size = start if resumed else 0
            if (total or 0) > manners.max_bytes:
                raise SectorbookError(
                    f"{request.url} has {total:,} bytes; the limit is {manners.max_bytes:,}."
                )
            archives.free_space(partial.path.parent, (total or size) - size)
            if not resumed:
                partial.remember(request.url, _validator(response.headers))
            with partial.path.open("ab" if resumed else "wb") as file:
                for chunk in response.iter_raw():
                    size += len(chunk)
                    file.write(chunk)
                    if size > manners.max_bytes:
                        raise SectorbookError(f"{request.url} is larger than {manners.max_bytes:,} bytes.")
                    if time.monotonic() - began > manners.file_timeout_s:
                        raise _Passing(f"not complete after {manners.file_timeout_s:.0f} seconds")
                file.flush()
                os.fsync(file.fileno())
    except httpx.TooManyRedirects as error:
        raise SectorbookError(
            f"{request.url} leads in a circle (more than {manners.max_redirects} redirects)."
        ) from error
    except httpx.TimeoutException as error:
        raise _Passing("the server did not answer in time") from error
    except httpx.TransportError as error:
        raise _Passing(f"the connection failed ({str(error) or type(error).__name__})") from error
    if total is not None and size != total:
        if size > total:
            partial.discard()
        raise _Passing(f"{size:,} of {total:,} bytes arrived")


def _accept(partial: _Partial, request: Request) -> File:
    """Check the complete bytes and return their sidecar entry. Discards them and raises when they are wrong."""
    found = describe(partial.path)
    with partial.path.open("rb") as file:
        page = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML)
    why = None
    if page and not request.name.endswith((".html", ".htm")):
        why = "is a web page, not data"
    elif found.bytes == 0:
        why = "is empty"
    elif request.bytes is not None and found.bytes != request.bytes:
        why = f"has {found.bytes:,} bytes; {request.bytes:,} are expected"
    elif request.sha256 is not None and found.sha256 != request.sha256:
        why = f"has the checksum {found.sha256[:12]}…; {request.sha256[:12]}… is expected"
    if why:
        partial.discard()
        raise SectorbookError(f"{request.url}: what arrived {why}. Nothing was kept.")
    return File(name=request.name, sha256=found.sha256, bytes=found.bytes, url=request.url)


def _address(url: str, mirrors: Mapping[str, str]) -> str:
    for original, mirror in mirrors.items():
        if url.startswith(original):
            return mirror + url.removeprefix(original)
    return url


def _wait(manners: Manners) -> Callable[[tenacity.RetryCallState], float]:
    backoff = tenacity.wait_exponential(multiplier=manners.first_wait_s, max=manners.longest_wait_s)
    return lambda state: max(backoff(state), getattr(state.outcome.exception(), "wait_s", 0.0))


def _present(folder: Path, request: Request, known: Mapping[str, File]) -> File | None:
    """Return the entry of a file that an earlier download left complete, unchanged and as now asked for."""
    entry = known.get(request.name)
    if entry is None or entry.url != request.url or not (folder / request.name).exists():
        return None
    if request.sha256 not in (None, entry.sha256) or describe(folder / request.name).sha256 != entry.sha256:
        return None
    return entry


def download(
    fetch: Fetch,
    folder: Path | None = None,
    *,
    manners: Manners | None = None,
    mirrors: Mapping[str, str] | None = None,
    refresh: bool = False,
    told: Callable[[str], None] = lambda line: None,
) -> Sidecar:
    """Fetch the files of one release into `folder` (default: its place in data/raw), write and return the sidecar.

    Files that are already there, complete and unchanged, are not fetched again unless `refresh`. A broken
    transfer is taken up where it stopped when the server can prove that the file is the same; bytes under a
    file's own name are always complete and checked. `mirrors` replaces the beginning of addresses; `told`
    hears one line per file. Raises SectorbookError, naming what is missing and how to get it, when a file
    cannot be had; the files before it are kept and listed.
    """
    folder, manners, mirrors = folder or fetch.folder(), manners or Manners(), mirrors or {}
    folder.mkdir(parents=True, exist_ok=True)
    earlier = read_sidecar(folder).files if (folder / SIDECAR).exists() else ()
    known = {file.name: file for file in earlier if (folder / file.name).exists()}
    changed = {}
    timeout = httpx.Timeout(manners.read_timeout_s, connect=manners.connect_timeout_s)
    client = httpx.Client(
        timeout=timeout,
        follow_redirects=True,
        max_redirects=manners.max_redirects,
        headers={"User-Agent": _agent(manners.contact), "Accept-Encoding": "identity"},
    )
    try:
        with client:
            for number, request in enumerate(fetch.files, start=1):
                entry = None if refresh else _present(folder, request, known)
                if entry is None:
                    if changed:
                        time.sleep(manners.gap_s)
                    entry = changed[request.name] = _one(client, request, folder, mirrors, manners, fetch)
                told(f"{number} of {len(fetch.files)}: {request.name}, {entry.bytes:,} bytes")
                known[request.name] = entry
    finally:
        if changed:
            sidecar = _raw_sidecar(fetch, known, mirrors)
            write_sidecar(folder, sidecar)
    return read_sidecar(folder)


def _one(
    client: httpx.Client,
    request: Request,
    folder: Path,
    mirrors: Mapping[str, str],
    manners: Manners,
    fetch: Fetch,
) -> File:
    """Fetch one file, with retries, and give it its name."""
    partial = _Partial(folder / request.name)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_Passing),
        stop=tenacity.stop_after_attempt(manners.attempts),
        wait=_wait(manners),
        reraise=True,
    )
    try:
        retrying(_attempt, client, request, _address(request.url, mirrors), partial, manners)
        entry = _accept(partial, request)
        partial.path.replace(folder / request.name)
        partial.discard()
    except _Passing as error:
        partial.keep_only_if_resumable()
        missing = [r.name for r in fetch.files if not (folder / r.name).exists()]
        host = urlsplit(request.url).hostname
        raise SectorbookError(
            f"{request.name} could not be fetched from {host}: {error}, in {manners.attempts} attempts. "
            f"Still missing in {paths.shown(folder)}: {', '.join(missing[:5])}"
            f"{f' and {len(missing) - 5} more' if len(missing) > 5 else ''}. With a connection, run the same "
            f"command again; it goes on where it stopped. Or save {request.url} there by hand as {request.name}."
        ) from error
    except SectorbookError:
        partial.discard()
        raise
    except OSError as error:
        partial.discard()
        raise SectorbookError(
            f"{paths.shown(folder / request.name)} cannot be written: {error.strerror or error}"
        ) from error
    return entry


def _raw_sidecar(fetch: Fetch, known: Mapping[str, File], mirrors: Mapping[str, str]) -> Sidecar:
    used = sorted(
        {mirror for old, mirror in mirrors.items() if any(r.url.startswith(old) for r in fetch.files)}
    )
    return Sidecar(
        source=fetch.about.source,
        title=f"{fetch.about.title}, {fetch.vintage}",
        publisher=fetch.about.publisher,
        vintage=fetch.vintage,
        edition=fetch.edition,
        published=fetch.vintage,
        retrieved=f"{datetime.now(UTC):%Y-%m-%d}",
        licence=fetch.about.licence,
        citation=fetch.about.citation,
        files=tuple(known[name] for name in sorted(known)),
        via=", ".join(used) or None,
    )
