"""Opening archives from outside: no member may leave the folder, and none may be larger than it should be."""

import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from sectorbook.errors import SectorbookError
from sectorbook.paths import shown

MAX_BYTES = 8 << 30  # well above every archive read here; a year of QCEW by area opens to a few GB
MAX_MEMBERS = 50_000  # such an archive holds a few thousand
MAX_RATIO = 250  # tables of text stay far below; deflate reaches 1:1000 on a bomb of zeros
RATIO_FROM = 16 << 20  # smaller members cannot hurt, whatever their ratio
_CHUNK = 1 << 20


def _refuse(path: Path, why: str) -> SectorbookError:
    return SectorbookError(f"{shown(path)} was not opened: {why}. Nothing was written. Download it again.")


def _check(path: Path, member: zipfile.ZipInfo) -> None:
    """Raise SectorbookError for a member that would leave the folder, is a link, or is encrypted."""
    name = member.filename.replace("\\", "/")
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or ":" in name or "\0" in name:
        raise _refuse(path, f"its member {member.filename!r} would be written outside the folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _refuse(path, f"its member {member.filename!r} is a link")
    if member.flag_bits & 0x1:
        raise _refuse(path, f"its member {member.filename!r} is encrypted")


def unzip(
    path: Path, folder: Path, wanted: Callable[[str], bool] = lambda name: True, max_bytes: int = MAX_BYTES
) -> list[Path]:
    """Write the `wanted` members of a zip file into `folder`, without their folders, and return them, by name.

    Raises SectorbookError for a damaged file, a member that would leave the folder, a link, an encrypted
    member, two members of one name, or more than `max_bytes` (counted while writing, not as declared).
    """
    written: list[Path] = []
    complete = False
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MAX_MEMBERS:
                raise _refuse(path, f"it holds {len(members):,} members, more than {MAX_MEMBERS:,}")
            for member in members:
                _check(path, member)
            picked = [m for m in members if wanted(m.filename)]
            names = [PurePosixPath(m.filename.replace("\\", "/")).name for m in picked]
            if twice := sorted(name for name, count in Counter(names).items() if count > 1):
                raise _refuse(path, f"two of its members are named {twice[0]!r}")
            for member in picked:
                if member.file_size > max(RATIO_FROM, member.compress_size * MAX_RATIO):
                    raise _refuse(
                        path, f"{member.filename!r} grows more than {MAX_RATIO}-fold, as a zip bomb does"
                    )
            left = max_bytes
            for member, name in sorted(zip(picked, names, strict=True), key=lambda pair: pair[1]):
                written.append(folder / name)
                with archive.open(member) as source, written[-1].open("wb") as file:
                    while chunk := source.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise _refuse(path, f"it opens to more than {max_bytes:,} bytes")
                        file.write(chunk)
            complete = True
            return written
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise _refuse(path, f"it is damaged or not a zip file ({error})") from error
    finally:
        for half in () if complete else written:
            half.unlink(missing_ok=True)


def free_space(folder: Path, needed: int) -> None:
    """Raise SectorbookError when the disk of `folder` has less than `needed` bytes left."""
    left = shutil.disk_usage(folder).free
    if left < needed:
        raise SectorbookError(f"{shown(folder)}: {needed:,} bytes are needed, the disk has {left:,} left.")
