"""Receipts in the shop's language, or in the customer's.

Rules of this file: which language is decided here, and the words are those of ``Speech``. The
card's own preference (5F2D) comes first for what the customer takes along; the shop's for paper.
"""

from __future__ import annotations

from datetime import tzinfo

from terminal.ports import PrintLine
from terminal.receipt import Receipt, layout
from terminal.transaction import Transaction
from ui.reporting.speech import Speech
from ui.wiring import Parts
from ui.words import LANGUAGES


def language_for(sale: Transaction, shop_language: str) -> str:
    """The language of whoever paid, where the card names one that the till speaks."""
    own = sale.card.language if sale.card is not None else ""
    return own if own in LANGUAGES else shop_language


def receipt_lines(receipt: Receipt, zone: tzinfo, language: str) -> tuple[PrintLine, ...]:
    """The receipt's lines in a language."""
    return layout(receipt, zone, Speech(language).tell)


def in_shop_language(parts: Parts, receipt: Receipt) -> tuple[PrintLine, ...]:
    """A receipt's lines for the shop's paper."""
    return receipt_lines(receipt, parts.rules.zone, parts.settings.config.shop.language)
