"""Card data in the clear: secrets that mask themselves.

Rules of this file: a secret has no readable ``repr``, ``str`` or format, cannot be pickled or
copied, and compares in constant time. Its value leaves only through ``reveal()``, which is
easy to search for: a test allows the call in ``terminal/emv`` and ``terminal/tokens.py`` only.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import NoReturn, final

from terminal.errors import CardError


class _Secret:
    """A value that refuses to be shown."""

    __slots__ = ("_value",)
    _pattern: re.Pattern[str]

    def __init__(self, value: str) -> None:
        if not self._pattern.fullmatch(value):
            # The value itself must not reach the message.
            raise CardError(f"The card's {type(self).__name__} is malformed.")
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        """The clear value. Every caller must seal or discard it."""
        value: str = object.__getattribute__(self, "_value")
        return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} hidden>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self.reveal(), other.reveal())

    def __hash__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be a key or a set member")


@final
class Pan(_Secret):
    """A primary account number: 8 to 19 digits (ISO/IEC 7812-1).

    The check digit is judged by ``luhn_valid`` and not on construction: what a bad one means
    is for the kernel to decide.
    """

    __slots__ = ()
    _pattern = re.compile(r"[0-9]{8,19}", re.ASCII)

    @property
    def last4(self) -> str:
        """The four digits that may be shown and printed."""
        return self.reveal()[-4:]

    @property
    def masked(self) -> str:
        """The one masked form this terminal ever shows: dots and the last four digits."""
        return f"\u2022\u2022\u2022\u2022 {self.last4}"

    @property
    def luhn_valid(self) -> bool:
        """Whether the check digit is right (ISO/IEC 7812-1, Annex B)."""
        total = 0
        for position, digit in enumerate(reversed(self.reveal())):
            number = int(digit) * (2 if position % 2 else 1)
            total += number - 9 if number > 9 else number
        return total % 10 == 0


@final
class Track2(_Secret):
    """Track 2 equivalent data (tag 57) as digits with ``D`` for the separator, padding removed."""

    __slots__ = ()
    _pattern = re.compile(r"[0-9]{8,19}D[0-9]{4,28}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CardData:
    """What READ RECORD gave, from there to sealing and nowhere else.

    ``expiry_yymm`` is four digits; ``sequence`` is the PAN sequence number (5F34) or None;
    ``par`` the payment account reference (9F24), which is no payment credential but still
    identifies a person.
    """

    pan: Pan
    expiry_yymm: str = field(repr=False)
    sequence: int | None = None
    track2: Track2 | None = None
    par: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{2}(0[1-9]|1[0-2])", self.expiry_yymm, re.ASCII):
            raise CardError("The card's expiry date is malformed.")
        if self.sequence is not None and not 0 <= self.sequence <= 99:
            raise CardError("The card's PAN sequence number is outside 0 to 99.")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("CardData cannot be pickled or copied")
