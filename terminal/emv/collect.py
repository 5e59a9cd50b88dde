"""Reads a card for a person who wants to know what it is: every application, no payment.

Rules of this file: it asks for what a card says to anybody (names, options, records) and for no
cryptogram beyond the one that some cards make by themselves with their options. It raises nothing
of a card's making: what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from terminal.emv import dol, tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.application import parse_afl
from terminal.emv.selection import PPSE, directory, parse_fci
from terminal.emv.tlv import decode, encode, first
from terminal.errors import CardError

APPLICATIONS_MAX = 10
_RECORDS_MAX = 40


def collect(terminal: Mapping[int, bytes]) -> Dialogue[int]:
    """Selects each application of the directory and reads it; how many there were.

    ``terminal`` fills the lists that the card asks for.
    """
    response = yield Command(0x00, 0xA4, 0x04, 0x00, PPSE)
    try:
        entries = directory(response.data) if response.ok else []
    except CardError:
        entries = []
    for entry in entries[:APPLICATIONS_MAX]:
        yield from _application(entry.adf_name, terminal)
    return len(entries)


def _application(name: bytes, terminal: Mapping[int, bytes]) -> Dialogue[None]:
    response = yield Command(0x00, 0xA4, 0x04, 0x00, name)
    if not response.ok:
        return
    try:
        asked = first(parse_fci(response.data).objects, tags.PDOL_9F38)
        filled = dol.fill(dol.parse(asked.value), terminal) if asked else b""
    except CardError:
        return
    template = encode(tags.COMMAND_TEMPLATE_83, filled)
    response = yield Command(0x80, 0xA8, 0x00, 0x00, template)
    try:
        locator = _locator(response.data) if response.ok else b""
        afl = parse_afl(locator)
    except CardError:
        return
    records = [
        (entry.sfi, number) for entry in afl for number in range(entry.first, entry.last + 1)
    ]
    for sfi, number in records[:_RECORDS_MAX]:
        yield Command(0x00, 0xB2, number, sfi << 3 | 0x04)


def _locator(data: bytes) -> bytes:
    objects = decode(data)
    if objects and objects[0].tag == tags.RESPONSE_FORMAT_1_80:
        return objects[0].value[2:]
    found = first(objects, tags.AFL_94)
    return found.value if found else b""
