"""Cards that hold data and run no application, told by the ATR that their reader makes up.

Rules of this file: only the kind of card is read from an ATR, never anything that tells two
cards of a kind apart.
"""

from __future__ import annotations

import re

# PC/SC part 3, 3.1.3.2.3.2: historical bytes 80 4F 0C, the PC/SC workgroup's RID, the standard,
# the card's name, four zeros. The names are from that part's supplement; pcsc-tools agrees.
_STORAGE_CARD = re.compile(
    rb"\x3b\x8f\x80\x01\x80\x4f\x0c\xa0\x00\x00\x03\x06(?P<standard>.)(?P<name>..)\x00{4}.",
    re.DOTALL,
)
_STORAGE_CARDS = {
    0x0001: "MIFARE Classic",
    0x0002: "MIFARE Classic",
    0x0003: "MIFARE Ultralight",
    0x0014: "ICODE",
    0x0026: "MIFARE Mini",
    0x002F: "Jewel",
    0x0030: "Topaz",
    0x0036: "MIFARE Plus",
    0x0037: "MIFARE Plus",
    0x0038: "MIFARE Plus",
    0x0039: "MIFARE Plus",
    0x003A: "MIFARE Ultralight",
    0x003B: "FeliCa",
}
_STANDARDS = {0x03: "ISO 14443-3 A", 0x07: "ISO 14443-3 B", 0x0B: "ISO 15693", 0x11: "FeliCa"}


def storage_card_technology(atr: bytes) -> str | None:
    """The name of a storage card, from the ATR that its reader made up; None for other cards."""
    match = _STORAGE_CARD.fullmatch(atr)
    if match is None:
        return None
    name = _STORAGE_CARDS.get(int.from_bytes(match["name"], "big"))
    return name or _STANDARDS.get(match["standard"][0], "a storage card")
