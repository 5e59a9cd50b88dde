"""From logical text to the lines that are drawn: wrapping, Persian shaping, bidi, digits.

Kivy draws what it is given from left to right, so the order has to be made here, in this
sequence and no other: wrap (on logical text, or the lines come out in the wrong order), shape
each line's Arabic letters, order it, and only then swap the digits. Amounts and references
travel in isolates and stay in one piece.

``get_display`` is python-bidi's Rust one; its Python twin refuses isolates. The Rust one
leaves brackets unmirrored, which is made good here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from arabic_reshaper import ArabicReshaper
from bidi import get_display

from ui.words import ISOLATE_FIRST, ISOLATE_LTR, POP_ISOLATE, Words

_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069\u202a\u202b\u202c\ufeff")
)
_PROTECTED_ZERO = 0xE000
_UNPROTECTED = {_PROTECTED_ZERO + value: str(value) for value in range(10)}
_ISOLATED = re.compile("[\u2066\u2068].*?\u2069")
_LATIN = re.compile("[A-Za-z]")
_OPENERS = dict(zip("([{\u00ab\u2039", ")]}\u00bb\u203a", strict=True))
_CLOSERS = {closer: opener for opener, closer in _OPENERS.items()}
_RESHAPER = ArabicReshaper()

Measure = Callable[[str], float]


def is_arabic(text: str) -> bool:
    """Whether a letter or digit of the Arabic script is in the text."""
    return any("\u0600" <= letter <= "\u06ff" or "\ufb50" <= letter <= "\ufeff" for letter in text)


def _protect(text: str) -> str:
    """Digits that stay as they are, as private-use characters that the last step restores.

    Those are the digits of references, and those of foreign text: a line with Latin letters
    and without Arabic ones, such as the name of a reader. Amounts are never protected.
    """
    bare = _ISOLATED.sub("", text)
    foreign = bool(_LATIN.search(bare)) and not is_arabic(bare)
    shown = []
    inside = ""
    for letter in text:
        if letter in (ISOLATE_FIRST, ISOLATE_LTR):
            inside = letter
        elif letter == POP_ISOLATE:
            inside = ""
        kept = inside == ISOLATE_FIRST or (foreign and not inside)
        protected = kept and letter in "0123456789"
        shown.append(chr(_PROTECTED_ZERO + int(letter)) if protected else letter)
    return "".join(shown)


def _mirror(line: str) -> str:
    """Turns brackets that ordering has left back to front: in drawn text, ``(`` comes first."""
    letters = list(line)
    reversed_at: list[int] = []
    depth: dict[str, int] = {}
    for index, letter in enumerate(letters):
        if letter in _OPENERS:
            if reversed_at and letters[reversed_at[-1]] == letter:
                reversed_at.pop()
                letters[index] = _OPENERS[letter]
            else:
                depth[letter] = depth.get(letter, 0) + 1
        elif letter in _CLOSERS:
            opener = _CLOSERS[letter]
            if depth.get(opener):
                depth[opener] -= 1
            else:
                # The matching opener will follow; it is turned when it comes.
                letters[index] = opener
                reversed_at.append(index)
    return "".join(letters)


@lru_cache(maxsize=512)
def visual(line: str, words: Words) -> str:
    """One logical line in the order in which it is drawn, with the language's digits."""
    if words.rtl and is_arabic(line):
        ordered = get_display(_RESHAPER.reshape(_protect(line)), base_dir="R")
        line = _mirror(ordered.translate(_INVISIBLE))
    elif is_arabic(line):
        # A Persian shop name on a left-to-right screen.
        line = _mirror(get_display(_RESHAPER.reshape(line), base_dir="L").translate(_INVISIBLE))
    else:
        line = _protect(line).translate(_INVISIBLE)
    digits = "".join(map(words.digit, line))
    return digits.translate(_UNPROTECTED)


def _words_of(paragraph: str) -> list[str]:
    """The pieces that a line may break between: never inside an isolate."""
    pieces: list[str] = []
    inside = False
    for word in paragraph.split(" "):
        if inside:
            pieces[-1] = f"{pieces[-1]} {word}"
        else:
            pieces.append(word)
        opened = max(word.rfind("\u2066"), word.rfind(ISOLATE_FIRST))
        closed = word.rfind(POP_ISOLATE)
        if opened > closed:
            inside = True
        elif closed > opened:
            inside = False
    return pieces


def wrap(text: str, width: float, measure: Measure, words: Words) -> list[str]:
    """Logical text as drawn lines, none wider than ``width`` unless a single word is.

    ``measure`` gives the width of a *drawn* string in the same unit as ``width``.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _words_of(paragraph):
            longer = f"{line} {word}" if line else word
            if line and measure(visual(longer, words)) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return [visual(line, words) for line in lines]
