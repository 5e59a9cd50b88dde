"""The words of reports and receipts on paper, in the shop's language or the customer's.

Rules of this file: the catalogues are those of the domain ``paper`` in ``ui/locale``, apart from
the screen's, since paper has other words and more room. Money is written as ``ui.words`` writes
it, without the isolates that paper cannot use.
"""

from __future__ import annotations

from datetime import date

from terminal.money import Amount, Currency, Total
from ui.words import ISOLATE_LTR, POP_ISOLATE, Words, catalogue

DOMAIN = "paper"


class Speech:
    """Speaks one language on paper.

    Raises:
        ConfigError: the language is not one of ``ui.words.LANGUAGES``.
    """

    def __init__(self, language: str) -> None:
        self.words = Words(language)
        self.language = language
        self._catalogue = catalogue(DOMAIN, language)

    @property
    def rtl(self) -> bool:
        """Whether lines run from right to left."""
        return self.words.rtl

    def tell(self, message: str, **values: object) -> str:
        """The message in this language, with its ``{names}`` filled in."""
        text = self._catalogue.gettext(message)
        return text.format(**values) if values else text

    def money(self, minor: int, currency: Currency) -> str:
        """A sum as people write it, with its sign in front; of any number of digits."""
        whole = self.words.number(Total(abs(minor), currency))
        sign = "\N{MINUS SIGN}" if minor < 0 else ""
        return self._in_order(f"{sign}{whole}")

    def amount(self, amount: Amount) -> str:
        """An amount with its currency, as people write it."""
        return self.words.plain(self.words.money(amount))

    def digits(self, text: str) -> str:
        """ASCII digits as this language writes them."""
        return "".join(self.words.digit(character) for character in text)

    def day(self, day: str) -> str:
        """``2026-11-25`` as people write a day: ISO 8601, which no country misreads."""
        return self._in_order(date.fromisoformat(day).isoformat()) if day else ""

    def moment(self, text: str) -> str:
        """A date and time as ISO 8601 writes it, kept in its order."""
        return self._in_order(text)

    def _in_order(self, text: str) -> str:
        """Numbers with signs and dashes keep their order inside right-to-left text."""
        shown = self.digits(text)
        return f"{ISOLATE_LTR}{shown}{POP_ISOLATE}" if self.rtl else shown


def plain(text: str) -> str:
    """The text without the marks that keep its order, for what cannot use them."""
    return text.replace(ISOLATE_LTR, "").replace(POP_ISOLATE, "")
