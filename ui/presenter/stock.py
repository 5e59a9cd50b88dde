"""What a shop sells, as a face looks things up in it: quick keys, groups, words, letters.

Rules of this file: pure. Accents and capitals do not matter to whoever searches, and neither does
which of two Unicode letters a keyboard has for one Persian letter. Whatever takes a while to work
out is worked out when it is first asked for.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cached_property

from terminal.catalogue import Catalogue, Item

# ruff: noqa: RUF001 - Persian and Arabic letters look like others, and are meant.
_SAME = str.maketrans({"ي": "ی", "ك": "ک", "ة": "ه", "أ": "ا", "\u200c": " ", "\u0640": None})
_PERSIAN = {letter: place for place, letter in enumerate("آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی")}
"""Persian letters in their order, which is not that of Unicode."""


def folded(text: str) -> str:
    """Words to compare: without accents and capitals, with one blank between them."""
    plain = unicodedata.normalize("NFKD", text).translate(_SAME).casefold()
    letters = (
        each if each.isalnum() else " " for each in plain if unicodedata.category(each) != "Mn"
    )
    return " ".join("".join(letters).split())


class Stock:
    """A catalogue that can be searched. Two of the same catalogue are equal."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.catalogue = catalogue or Catalogue()
        self._found: tuple[str, tuple[Item, ...]] = ("", ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stock) and self.catalogue == other.catalogue

    def __hash__(self) -> int:
        return len(self.catalogue.items)

    def __bool__(self) -> bool:
        return bool(self.catalogue.items)

    @cached_property
    def quick(self) -> tuple[Item, ...]:
        """The items with a quick key, in their order."""
        return self.catalogue.quick

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the list."""
        return tuple(dict.fromkeys(item.group for item in self.catalogue.items))

    @cached_property
    def _sorted(self) -> tuple[tuple[str, Item], ...]:
        """Each item with the words that it is found by, by groups and then by name."""
        places = {group: place for place, group in enumerate(self.groups)}
        named = [(folded(item.name), item) for item in self.catalogue.items]
        named.sort(key=lambda each: (places[each[1].group], each[0]))
        return tuple((f" {name} {item.barcode.casefold()}", item) for name, item in named)

    def matching(self, query: str) -> tuple[Item, ...]:
        """The items with a word, or a barcode, that begins so; all of them for nothing."""
        wanted = folded(query)
        if self._found[0] != wanted or not self._found[1]:
            items = tuple(item for words, item in self._sorted if f" {wanted}" in words)
            self._found = (wanted, items)
        return self._found[1]

    def letters(self, query: str, most: int) -> tuple[str, ...]:
        """The letters that lead on from here: with each of them, something is still found.

        Where there are more than ``most``, those that are needed most.
        """
        wanted = f" {folded(query)}"
        count: Counter[str] = Counter()
        for words, item in self._sorted:
            name = words.removesuffix(item.barcode.casefold())
            at = name.find(wanted)
            while at >= 0:
                following = name[at + len(wanted) : at + len(wanted) + 1].strip()
                if following:
                    count[following] += 1
                at = name.find(wanted, at + 1)
        return tuple(sorted((each for each, _ in count.most_common(most)), key=_place))


def _place(letter: str) -> tuple[int, str]:
    return _PERSIAN.get(letter, 0), letter
