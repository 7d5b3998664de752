"""Files on their way between machines: kept under their SHA-256 in a folder that all of them reach.

The folder is an fsspec address: a shared path, s3://…, or whatever fsspec has a file system for. A file is complete or
not there, and who fetches one compares its checksum.
"""

import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from sectorbook import provenance
from sectorbook.errors import SectorbookError

# Stores in which a file that is being written is not there yet; elsewhere it is renamed when it is complete.
_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"}


class Store:
    """One folder at an fsspec address. Every method raises SectorbookError when the store does not do what is asked."""

    def __init__(self, address: str) -> None:
        import fsspec.core

        self.address = address
        try:
            self.system, root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise SectorbookError(f"The store {address} cannot be used: {error}") from error
        self.root = PurePosixPath(root)
        names = {self.system.protocol} if isinstance(self.system.protocol, str) else set(self.system.protocol)
        self.whole = bool(names & _WHOLE)

    def _problem(self, error: Exception) -> SectorbookError:
        return SectorbookError(f"The store {self.address} failed: {error or type(error).__name__}")

    def _do(self, call: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self.system, call)(*arguments, **options)
        except Exception as error:
            raise self._problem(error) from error

    def names(self, folder: str) -> set[str]:
        """Return the names of the files in `folder`; none when it is not there."""
        try:
            found = self.system.ls(str(self.root / folder), detail=False, refresh=True)
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise self._problem(error) from error
        return {PurePosixPath(name).name for name in found}

    def send(self, folder: str, files: Iterable[Path]) -> dict[Path, str]:
        """Put files into `folder` and return their SHA-256, under which they stand there."""
        sums = {path: provenance.sha256(path) for path in files}
        there = {digest: path for path, digest in sums.items()}
        self._do("makedirs", str(self.root / folder), exist_ok=True)
        ends = [str(self.root / folder / digest) for digest in there]
        if self.whole:
            if ends:
                self._do("put", [str(path) for path in there.values()], ends)
            return sums
        for path, end in zip(there.values(), ends, strict=True):
            unfinished = f"{end}.{uuid.uuid4().hex}"
            self._do("put_file", str(path), unfinished)
            self._do("mv", unfinished, end)
        return sums

    def fetch(self, folder: str, wanted: dict[Path, str]) -> None:
        """Get files out of `folder`, each to a path by its SHA-256. A file there is replaced, whole or not at all."""
        if not wanted:
            return
        for path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
        place = next(iter(wanted)).parent
        with tempfile.TemporaryDirectory(dir=place, prefix=".fetched.") as temporary:
            fetched = {digest: Path(temporary) / digest for digest in wanted.values()}
            starts = [str(self.root / folder / digest) for digest in fetched]
            self._do("get", starts, [str(path) for path in fetched.values()])
            for digest, path in fetched.items():
                if provenance.sha256(path) != digest:
                    raise SectorbookError(
                        f"The store {self.address} gave another file than {digest[:12]} in {folder}."
                    )
            left = list(wanted.values())
            for path, digest in wanted.items():
                left.remove(digest)
                source = fetched[digest]
                if digest in left:
                    path.write_bytes(source.read_bytes())
                else:
                    source.replace(path)

    def remove(self, folder: str) -> None:
        """Remove `folder` and what is in it, if it is there."""
        if self._do("exists", str(self.root / folder)):
            self._do("rm", str(self.root / folder), recursive=True)
