"""A reader as many examples on the net write it: it believes what it is told.

It selects, reads and asks as the standards have it, and checks nothing: no certificate, no
signature, no scheme, no time. The attacks are held against it, so that each is seen to work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from terminal.emv import dol
from terminal.emv.preprocessing import pre_process, terminal_objects
from terminal.emv.selection import directory, parse_fci
from terminal.emv.settings import ReaderSettings, TransactionRequest
from terminal.emv.tlv import decode, encode, walk


@dataclass(frozen=True)
class Verdict:
    """What the naive reader makes of a card: ``approved``, ``online`` or ``declined``."""

    word: str
    verified: str = ""
    cryptogram: bytes = b""


def objects_of(answer: bytes) -> dict[int, bytes]:
    return {each.tag: each.value for each in walk(decode(answer[:-2]))}


def naive(card: Any, request: TransactionRequest, settings: ReaderSettings) -> Verdict:
    """Runs the tap; whoever says he is verified, is."""
    ppse = card.exchange(bytes.fromhex("00A404000E325041592E5359532E444446303100"))
    name = directory(ppse[:-2])[0].adf_name
    selected = card.exchange(bytes.fromhex(f"00A40400{len(name):02X}{name.hex()}00"))
    fci = {each.tag: each.value for each in walk(parse_fci(selected[:-2]).objects)}
    combination = next(each for each in settings.combinations if name.startswith(each.aid))
    ttq = pre_process(combination, request.amount).ttq
    terminal = terminal_objects(request, settings, combination, ttq)
    data = encode(0x83, dol.fill(dol.parse(fci.get(0x9F38, b"")), terminal))
    options = card.exchange(bytes.fromhex(f"80A80000{len(data):02X}") + data + b"\0")
    read = objects_of(options)
    if 0x9F27 in read or 0x9F10 in read:
        return _believed(read)
    if not read[0x82][1] & 0x80:
        return Verdict("approved", "mag-stripe data")
    locator = read[0x94]
    for at in range(0, len(locator), 4):
        sfi, first, last, _ = locator[at : at + 4]
        for number in range(first, last + 1):
            read |= objects_of(card.exchange(bytes((0x00, 0xB2, number, sfi | 0x04, 0))))
    cdol = dol.fill(dol.parse(read[0x8C]), terminal)
    made = card.exchange(bytes.fromhex(f"80AE4000{len(cdol):02X}") + cdol + b"\0")
    return _believed(read | objects_of(made))


def _believed(read: dict[int, bytes]) -> Verdict:
    kind = read.get(0x9F27, b"\x80")[0] & 0xC0
    word = {0x40: "approved", 0x80: "online"}.get(kind, "declined")
    on_device = read.get(0x9F6C, bytes(2))[1] & 0x80
    wants_pin = read.get(0x9F6C, bytes(2))[0] & 0x80
    verified = "on the device" if on_device else "PIN" if wants_pin else "not asked"
    return Verdict(word, verified, read.get(0x9F26, b""))
