"""Participants and the people they are compared with: read, checked and stripped of who they are.

Ids are replaced by keyed hashes as the file is read; the key stays in the region's local folder. Columns with names or free
text are not read. No message shows the value of a cell. Nothing here writes a person's row anywhere.
"""

import hashlib
import secrets

import pandas as pd

from sectorbook import forms, paths
from sectorbook.errors import SectorbookError

NOT_YET = "999999.99"
"""What a wage record holds while the quarter's earnings have not arrived (PIRL)."""
HASHED = ("id", "employer_q2", "employer_q4")
KEY_BYTES = 32
PAID_QUARTERS = {"employed_q2": "earnings_after_2_usd", "employed_q4": "earnings_after_4_usd"}


def key(region_slug: str) -> bytes:
    """Return the region's secret key, made at random the first time and kept in the local folder.

    Raises SectorbookError when the file is there and is not a key: a new one would make old and new hashes differ.
    """
    path = paths.local(region_slug, "participants.key")
    if not path.exists():
        with paths.write_atomic(path, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        path.chmod(0o600)
    content = path.read_bytes()
    if len(content) != KEY_BYTES:
        raise SectorbookError(
            f"{paths.shown(path)} is not a key of {KEY_BYTES} bytes. Put back the file you had; with another key nobody can "
            "be followed from one file to the next."
        )
    return content


def hashed(values: pd.Series, secret: bytes, purpose: str) -> pd.Series:
    """Return keyed BLAKE2b hashes (32 hex digits) of the values; missing stays missing.

    `purpose` keeps people and employers apart: the same text gives another hash under another purpose.
    """
    person = purpose.encode()[: hashlib.blake2b.PERSON_SIZE]

    def one(value: object) -> str | None:
        if value is None or pd.isna(value):
            return None
        text = str(value).strip().encode()
        return hashlib.blake2b(text, key=secret, digest_size=16, person=person).hexdigest()

    return values.map(one).astype(object)


def read(content: bytes, secret: bytes, file: str = "participants.csv") -> pd.DataFrame:
    """Return participants (columns of `config/outcomes.yml`, table participants) from a filled-in template.

    Ids and employers are hashed with `secret`. Each earnings column has a `_status`: published, missing or not-yet-available.
    The index counts from 0: it no longer says where in the file a person stood. Raises SectorbookError with every problem.
    """
    frame = forms.read("participants", content, file, private=True, absent=NOT_YET, check=_check)
    for name in HASHED:
        frame[name] = hashed(frame[name], secret, "person" if name == "id" else "employer")
    return frame.sort_values("id", ignore_index=True)


def load(region_slug: str) -> pd.DataFrame | None:
    """Return the region's own participants, or None when it has no file."""
    path = paths.local(region_slug, "participants.csv")
    if not path.exists():
        return None
    return read(path.read_bytes(), key(region_slug), paths.shown(path))


def _check(frame: pd.DataFrame, problems: forms.Problems) -> None:
    """Add what contradicts itself across columns."""

    def tell(where: pd.Series, column: str, text: str) -> None:
        for row in frame.index[where.fillna(False).astype(bool)]:
            problems.add(int(row), column, text)

    for employed, earned in PAID_QUARTERS.items():
        tell((frame[employed] == 0) & (frame[earned] > 0), earned, f"it is above 0, and {employed} says no")
        status = frame[f"{earned.removesuffix('_usd')}_status"]
        tell(
            frame[employed].notna() & frame["exit_date"].isna(),
            employed,
            "it is filled in, and there is no exit_date to count from",
        )
        tell(
            (status == "not-yet-available") & (frame[employed] == 0),
            earned,
            f"it is not yet available, and {employed} says no",
        )
    for quarter in ("2", "4"):
        tell(
            frame[f"employer_q{quarter}"].notna() & (frame[f"employed_q{quarter}"] == 0),
            f"employer_q{quarter}",
            f"it names an employer, and employed_q{quarter} says no",
        )
    after = [c for c in frame if c.startswith("earnings_after_") and c.endswith("_usd")]
    tell(
        frame["exit_date"].isna() & frame[after].notna().any(axis=1),
        "exit_date",
        "it is empty, and earnings after exit are filled in: they count from the quarter of exit",
    )
    tell(
        (frame["placed"] == 0) & frame["wage_placement_hourly_usd"].notna(),
        "wage_placement_hourly_usd",
        "it is filled in, and placed says no",
    )
    tell(
        (frame["credential_eligible"] == 0) & (frame["credential"] == 1),
        "credential",
        "it says yes, and credential_eligible says no",
    )
    tell(
        (frame["participated"] == 0) & (frame["completed"] == 1),
        "completed",
        "it says yes, and participated says no",
    )
    late = frame["exit_date"] - frame["entry_date"] > pd.Timedelta(days=3650)
    tell(late, "exit_date", "it lies more than ten years after entry_date")
    age = frame["entry_date"].dt.year < 1990
    tell(age, "entry_date", "it lies before 1990")
