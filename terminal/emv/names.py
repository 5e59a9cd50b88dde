"""Names for people: whose application it is, and what an object is called in its kernel.

Rules of this file: data. Several schemes use one tag for different things; the dictionary lists all
of them, and the kernel says which one it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from terminal.emv import tags

SCHEMES: Mapping[bytes, tuple[int, str]] = MappingProxyType(
    {
        bytes.fromhex(rid): (kernel, scheme)
        for rid, kernel, scheme in (
            ("A000000003", 3, "Visa"),
            ("A000000004", 2, "Mastercard"),
            ("A000000025", 4, "American Express"),
            ("A000000065", 5, "JCB"),
            ("A000000152", 6, "Discover"),
            ("A000000324", 6, "Discover"),
            ("A000000333", 7, "UnionPay"),
            ("A000000277", 0, "Interac"),
            ("A000000384", 0, "eftpos"),
            ("A000000524", 0, "RuPay"),
            ("A000000042", 0, "CB"),
            ("A000000359", 0, "girocard"),
            ("D276000025", 0, "GeldKarte"),
        )
    }
)
"""Kernel (0 where none is public) and scheme, by the first five bytes of an application's name."""

_IN_KERNEL: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (0x9F50, 2): "Offline Accumulator Balance",
        (0x9F50, 5): "Cardholder Verification Status",
        (0x9F53, 2): "Transaction Category Code",
        (0x9F53, 5): "Terminal Interchange Profile",
        (0x9F66, 2): "PUNATC (Track 2)",
        **dict.fromkeys(((0x9F66, 3), (0x9F66, 6), (0x9F66, 7)), "Terminal Transaction Qualifiers"),
        (0x9F69, 2): "UDOL",
        **dict.fromkeys(((0x9F69, 3), (0x9F69, 7)), "Card Authentication Related Data"),
        (0x9F6D, 2): "Mag-stripe Application Version Number (Reader)",
        (0x9F6D, 4): "Contactless Reader Capabilities",
        (0x9F6E, 2): "Third Party Data",
        **dict.fromkeys(((0x9F6E, 3), (0x9F6E, 7)), "Form Factor Indicator"),
        (0x9F6E, 4): "Enhanced Contactless Reader Capabilities",
        (0x9F71, 4): "Mobile CVM Results",
        (0x9F71, 6): "Card Processing Requirements",
        (0x9F7C, 2): "Merchant Custom Data",
        (0x9F7C, 3): "Customer Exclusive Data",
    }
)


def scheme_of(name: bytes) -> tuple[int, str]:
    """Kernel and scheme of an application's name; 0 and nothing where it is not known."""
    return SCHEMES.get(name[:5], (0, ""))


def name_of(tag: int, kernel: int = 0) -> str:
    """What an object is called, in this kernel where it makes a difference; empty if unknown."""
    info = tags.TAGS.get(tag)
    return _IN_KERNEL.get((tag, kernel)) or (info.name if info else "")


def counted(number: int, what: str) -> str:
    """``1 byte``, ``2 bytes``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
