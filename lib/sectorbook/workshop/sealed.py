"""Answers a pack can recognize and not read: the salted, slow hash of each accepted value and each known mistake.

What this holds back and what not: an opened file shows no answer, and a table of hashes made for another pack does not
fit. But answers are few (a percentage with one decimal is one of a thousand), so a program that tries them all finds
the right one in minutes; the slow hash only makes that more work than the exercise. Keeping the answers on a server
would hold them back, and would need a network. A check that computed the answer in the pack would carry the solution.

"Too high" and "too low" are not told: telling would need the order of the answers in the pack, and ten guesses would
then find any of a thousand. What is told is which known mistake an answer is.
"""

import hashlib
import math
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from numbers import Number
from typing import Any

from sectorbook.errors import SectorbookError

# About a tenth of a second for one check on a laptop.
ROUNDS = 200_000


class NotAnAnswer(Exception):
    """What was given cannot be an answer. Its text is the key of the message that says what is expected."""


def _number(given: Any, decimals: int) -> str:
    if isinstance(given, str):
        text = given.strip().replace("$", "").replace(",", "").replace("%", "").strip()
        try:
            given = float(text)
        except ValueError as error:
            raise NotAnAnswer("expects_number") from error
    if isinstance(given, bool) or not isinstance(given, Number) or isinstance(given, complex):
        raise NotAnAnswer("expects_number")
    if not math.isfinite(given):
        raise NotAnAnswer("expects_finite")
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(float(given))).quantize(step, rounding=ROUND_HALF_EVEN)
    return str(rounded if rounded else abs(rounded))


def _name(given: Any) -> str:
    if not isinstance(given, str):
        raise NotAnAnswer("expects_name")
    return " ".join("".join(c if c.isalnum() else " " for c in given.casefold()).split())


def _names(given: Any) -> str:
    if isinstance(given, str | bytes | dict) or not isinstance(given, Iterable):
        raise NotAnAnswer("expects_names")
    return "\n".join(sorted({_name(part) for part in given}))


def plain(given: Any, compares: str, decimals: int | None) -> str:
    """Return an answer as it is compared: a number rounded to `decimals`, a name or a set of names without case.

    `compares` is "number", "name" or "names". Raises NotAnAnswer for what is none.
    """
    if given is None or given is ... or (isinstance(given, str | list | tuple | set) and not given):
        raise NotAnAnswer("not_yet")
    item = getattr(given, "item", None)  # one value of an array or a frame
    if item is not None:
        try:
            given = item()
        except ValueError:
            given = list(given)
    if compares == "number":
        return _number(given, decimals or 0)
    return _name(given) if compares == "name" else _names(given)


def salt(exercise: str, region: str, sector: str) -> str:
    """Return the salt of an exercise in a pack: public, and another one for each region and sector."""
    return hashlib.sha256(f"sectorbook workshop\n{exercise}\n{region}\n{sector}".encode()).hexdigest()


def digest(text: str, salted: str) -> str:
    """Return the slow hash of an answer as it is compared."""
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salted.encode(), ROUNDS).hex()


def seal(
    told: dict, exercise: str, compares: str, decimals: int | None, right: str, slips: dict[str, str],
    region: str, sector: str,
) -> dict:  # fmt: skip
    """Return what a pack carries of one exercise: how answers are compared, and a message by the hash of each value.

    `told` holds the right answer and the value of each known mistake, in the order of `slips`, the messages. A mistake
    that cannot be told from the right answer, or from an earlier mistake, is left out. Raises SectorbookError when the
    right answer is none.
    """
    salted = salt(exercise, region, sector)
    try:
        answers = [(plain(told["answer"], compares, decimals), True, right)]
    except NotAnAnswer as error:
        raise SectorbookError(
            f"Exercise {exercise} has no answer: its solution gives {told['answer']!r}."
        ) from error
    for value, says in slips.items():
        try:
            answers.append((plain(told["mistakes"][value], compares, decimals), False, says))
        except NotAnAnswer:
            continue  # the mistake cannot be made here: what it needs is not published
    messages: dict[str, dict] = {}
    for text, is_right, says in answers:
        messages.setdefault(digest(text, salted), {"right": is_right, "says": says})
    return {
        "compares": compares,
        "decimals": decimals,
        "salt": salted,
        "messages": dict(sorted(messages.items())),
    }
