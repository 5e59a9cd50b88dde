"""What the forwarder tells: the line, sales that moved on, how far it has come, and its troubles.

Rules of this file: frozen values, without bytes or card data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terminal.money import Currency
from terminal.transaction import Transaction


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The acquirer answers, or does not any more; ``degraded``: it does, slowly or unwell."""

    online: bool
    reason: str = ""
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class SaleMoved:
    """A queued message had its answer, and its sale moved on."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the forwarder has come with what waited: ``done`` of ``total`` messages.

    ``left`` is what is still to go, in minor units of each currency.
    """

    done: int
    total: int
    left: Mapping[Currency, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The forwarder itself failed; it goes on after a pause."""

    reason: str


News = LineChanged | SaleMoved | Progress | Trouble
