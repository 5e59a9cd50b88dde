"""Words and money in the shop's language: gettext catalogues and CLDR's habits as data.

Rules of this file: text stays *logical* (as it is read aloud) with ASCII digits. Amounts are
wrapped in a left-to-right isolate (U+2066..U+2069) and references such as a card's last four
digits in a first-strong isolate (U+2068..U+2069), so that a face can keep both in one piece
when it lays out right-to-left text. Turning digits into the language's own is the very last
step: ``plain`` does it for a console, ``ui.touch.lettering`` for the touchscreen.

English is the source language. The other catalogues lie in ``ui/locale``.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from terminal.errors import ConfigError
from terminal.money import Amount, Total
from ui.jalali import persian
from ui.presenter.units import shown_decimals

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "taptill"

ISOLATE_LTR = "\u2066"
ISOLATE_FIRST = "\u2068"
POP_ISOLATE = "\u2069"
NO_BREAK = "\u00a0"
NARROW_NO_BREAK = "\u202f"
BULLETS = "\u2022\u2022\u2022\u2022"


@dataclass(frozen=True, slots=True)
class Habits:
    """How a language writes money, after CLDR's ``numbers`` of each locale.

    ``symbol_after`` puts the currency behind the number; ``digits`` are the ten digits that
    people read; ``symbols`` are currency names that differ from ``SYMBOLS``.
    """

    name: str
    decimal: str
    group: str
    symbol_after: bool
    digits: str = "0123456789"
    date: str = "{d:02d}.{m:02d}.{y}"
    rtl: bool = False
    persian_calendar: bool = False
    symbols: Mapping[str, str] = field(default_factory=dict)


_PERSIAN_DIGITS = "".join(chr(0x06F0 + value) for value in range(10))

LANGUAGES: Mapping[str, Habits] = MappingProxyType(
    {
        "en": Habits("English", ".", ",", symbol_after=False, date="{y}-{m:02d}-{d:02d}"),
        "es": Habits(
            "Español",
            ",",
            ".",
            symbol_after=True,
            date="{d:02d}/{m:02d}/{y}",
            symbols={"USD": "US$"},
        ),
        "fr": Habits(
            "Français",
            ",",
            NARROW_NO_BREAK,
            symbol_after=True,
            date="{d:02d}/{m:02d}/{y}",
            symbols={"USD": "$US"},
        ),
        "bg": Habits(
            "Български",
            ",",
            NO_BREAK,
            symbol_after=True,
            symbols={"BGN": "лв.", "USD": "щ.д."},
        ),
        "fa": Habits(
            "فارسی",
            "\u066b",
            "\u066c",
            symbol_after=True,
            digits=_PERSIAN_DIGITS,
            date="{y}/{m:02d}/{d:02d}",
            rtl=True,
            persian_calendar=True,
            symbols={"IRR": "ریال", "EUR": "یورو", "USD": "دلار", "GBP": "پوند"},
        ),
    }
)

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "INR": "₹", "ILS": "₪", "KRW": "₩"}
)
"""Signs that no shop will take for another currency; others show their ISO 4217 letters."""


def mark(message: str) -> str:
    """Marks a message for the catalogues where it is translated later."""
    return message


def catalogue(domain: str, language: str) -> gettext.NullTranslations:
    """The catalogue of a domain in ``ui/locale``; English is what the code itself says."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(domain, str(LOCALES), languages=[language])


class Words:
    """Speaks one language.

    Raises:
        ConfigError: the language is not one of ``LANGUAGES``.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ConfigError(
                f"Language {language!r} is not known.",
                remedy=f"Use one of: {', '.join(LANGUAGES)}.",
            )
        self.language = language
        self.habits = LANGUAGES[language]
        self._catalogue = catalogue(DOMAIN, language)

    @property
    def rtl(self) -> bool:
        """Whether lines run from right to left."""
        return self.habits.rtl

    def say(self, message: str, **values: object) -> str:
        """The message in this language, with its ``{names}`` filled in."""
        text = self._catalogue.gettext(message)
        return text.format(**values) if values else text

    def number(self, amount: Amount | Total) -> str:
        """The number alone, grouped: ``1,250.00``, with ASCII digits."""
        decimals = shown_decimals(amount.currency)
        whole, fraction = divmod(amount.minor, 10**amount.currency.exponent)
        if decimals < amount.currency.exponent and fraction:
            # Decimals nobody types are still never hidden when they are there.
            decimals = amount.currency.exponent
        habits = self.habits
        text = f"{whole:,}".replace(",", habits.group)
        if decimals == 0:
            return text
        return f"{text}{habits.decimal}{fraction:0{amount.currency.exponent}d}"

    def money(self, amount: Amount) -> str:
        """The amount as people write it, in one left-to-right piece."""
        code = amount.currency.code
        sign = self.habits.symbols.get(code) or SYMBOLS.get(code, code)
        number = self.number(amount)
        if self.habits.symbol_after:
            if self.habits.rtl and sign.isalpha() and not sign.isascii():
                # A word in the language's own script follows the number in reading order.
                return f"{ISOLATE_LTR}{number}{POP_ISOLATE}{NO_BREAK}{sign}"
            return f"{ISOLATE_LTR}{number}{NO_BREAK}{sign}{POP_ISOLATE}"
        gap = NO_BREAK if sign.isascii() and sign.isalpha() else ""
        return f"{ISOLATE_LTR}{sign}{gap}{number}{POP_ISOLATE}"

    def price(self, amount: Amount) -> str:
        """The number alone, in one left-to-right piece: for keys that have no room for more."""
        return f"{ISOLATE_LTR}{self.number(amount)}{POP_ISOLATE}"

    def money_short(self, amount: Amount) -> str:
        """The amount without decimals where there are none to tell: ``€5`` for ``€5.00``."""
        text, decimals = self.money(amount), amount.currency.exponent
        zeros = f"{self.habits.decimal}{'0' * decimals}"
        return text.replace(zeros, "") if decimals and amount.minor % 10**decimals == 0 else text

    def span(self, seconds: int) -> str:
        """A span of time in its largest unit: ``40 s``, ``12 min``, ``3 h``, ``2 d``."""
        if seconds < 60:
            return self.say("{seconds} s", seconds=seconds)
        if seconds < 3600:
            return self.say("{minutes} min", minutes=seconds // 60)
        if seconds < 172_800:
            return self.say("{hours} h", hours=seconds // 3600)
        return self.say("{days} d", days=seconds // 86_400)

    def milliseconds(self, seconds: float) -> str:
        """A short time: ``340 ms``."""
        return self.say("{number} ms", number=round(seconds * 1000))

    def time(self, at: datetime) -> str:
        """The time of day, as this wall clock shows it: ``14:05``."""
        return f"{ISOLATE_LTR}{at:%H:%M}{POP_ISOLATE}"

    def date(self, at: datetime) -> str:
        """The day in numbers, in the order and the calendar of the language."""
        year, month, day = at.year, at.month, at.day
        if self.habits.persian_calendar:
            year, month, day = persian(at.date())
        shown = self.habits.date.format(y=year, m=month, d=day)
        return f"{ISOLATE_LTR}{shown}{POP_ISOLATE}"

    def reference(self, text: str) -> str:
        """Text whose digits and order must stay as they are, whatever surrounds it."""
        return f"{ISOLATE_FIRST}{text}{POP_ISOLATE}"

    def plain(self, text: str) -> str:
        """The text for a console: isolates dropped, digits those of the language.

        Consoles order right-to-left text themselves, so it stays logical.
        """
        shown = []
        kept = 0
        for character in text:
            if character in (ISOLATE_LTR, ISOLATE_FIRST):
                kept += character == ISOLATE_FIRST
            elif character == POP_ISOLATE:
                kept = 0
            else:
                shown.append(character if kept else self.digit(character))
        return "".join(shown)

    def digit(self, character: str) -> str:
        """An ASCII digit as this language writes it; any other character as it is."""
        if character in "0123456789":
            return self.habits.digits[int(character)]
        return character


def minus(money: str) -> str:
    """An amount, as ``Words.money`` gives it, with a minus in the same left-to-right piece."""
    return money.replace(ISOLATE_LTR, f"{ISOLATE_LTR}\u2212", 1)
