"""How hard a text is to read: the Flesch-Kincaid grade."""

import re
from functools import cache

import pyphen

WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")
END = re.compile(r"[.!?]+(?=\s|$)")


@cache
def _hyphenation() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US", left=1, right=1)


def syllables(word: str) -> int:
    """Return the syllables of an English word by its hyphenation points; a number counts as one."""
    return 1 if any(c.isdigit() for c in word) else len(_hyphenation().inserted(word.lower()).split("-"))


def grade(text: str) -> float | None:
    """Return the Flesch-Kincaid grade level of an English text, or None for one without a word.

    0.39 words per sentence + 11.8 syllables per word - 15.59 (Kincaid, Fishburne, Rogers and Chissom, 1975,
    Derivation of New Readability Formulas for Navy Enlisted Personnel, Research Branch Report 8-75). Syllables are
    those of the hyphenation patterns, which find slightly fewer than a dictionary of sounds.
    """
    words = WORD.findall(text)
    if not words:
        return None
    sentences = max(1, len(END.findall(text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
