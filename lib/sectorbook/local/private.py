"""Files whose rows are people: ids become keyed hashes, columns that name people are not read, no message shows a value."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sectorbook import paths
from sectorbook.config.shapes import LocalTable
from sectorbook.errors import SectorbookError

KEY = "participants.key"
KEY_BYTES = 32
NOT_YET = "not-yet-available"
# What a wage record holds while the quarter's earnings have not arrived (PIRL).
NOT_YET_CODE = 999999.99
NAMES = (
    "name", "first_name", "last_name", "middle_name", "full_name", "ssn", "social_security_number", "date_of_birth", "dob",
    "birth_date", "address", "street", "email", "e_mail", "phone", "telephone", "notes", "note", "comment", "comments",
    "case_notes", "remarks",
)  # fmt: skip
"""Columns that identify people or hold free text: left out of a private file without being read."""


def secret(folder: Path) -> bytes:
    """Return the key of a folder, made at random the first time and readable by its owner only.

    Raises SectorbookError when the file is there and is no key: with a new one old and new hashes would differ.
    """
    path = folder / KEY
    if not path.exists():
        with paths.write_atomic(path) as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
        path.chmod(0o600)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
        raise SectorbookError(
            f"{paths.shown(path)} is not a key. Put back the file you had; with another key nobody can be followed from "
            "one file to the next."
        )
    return bytes.fromhex(text)


def hashed(text: str, key: bytes, whose: str) -> str:
    """Return a keyed BLAKE2b hash, 32 hex digits. `whose` keeps people and employers apart."""
    return hashlib.blake2b(text.strip().encode(), key=key, digest_size=16, person=whose.encode()).hexdigest()


def hide(table: LocalTable, records: Sequence[dict], key: bytes) -> list[dict]:
    """Return records with their ids hashed, in the order of the hashes: the order of the file is gone."""
    columns = {column.name: column.hashed for column in table.columns if column.hashed}
    out = [
        {name: hashed(cell, key, columns[name]) if name in columns else cell for name, cell in record.items()}
        for record in records
    ]
    return sorted(out, key=lambda record: [record.get(name, "") for name in columns])


def kind_of(text: str) -> str:
    """Return what kind of thing a cell holds, and nothing of it."""
    plain = text.strip()
    if plain.lstrip("-+").replace(".", "", 1).isdigit():
        return "a number below 0" if plain.startswith("-") else "a number"
    return f"a text of {len(plain)} characters" + (" with digits" if any(c.isdigit() for c in plain) else "")


def status(column: str) -> str:
    """Return the column that says why a value of `column` is missing."""
    return f"{column.removesuffix('_usd')}_status"


def is_not_yet(text: str) -> bool:
    """Return whether a cell stands for a record that has not arrived."""
    return re.fullmatch(r"999999\.990*", text.strip()) is not None


def statuses(records: Sequence[dict], column: str) -> pd.Series:
    """Return "published", "missing" or "not-yet-available" for each record."""
    return pd.Series(
        [r.get(status(column), "published" if column in r else "missing") for r in records], dtype="str"
    )
