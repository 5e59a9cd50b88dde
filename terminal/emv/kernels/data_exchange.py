"""Data beyond the payment: GET DATA and PUT DATA around GENERATE AC, and the card's balance.

Rules of this file: nothing is exchanged unless the settings name it, so that a plain tap needs no
command more. What is read goes out with the outcome and decides nothing. Kernel 2 calls this data
exchange (Book C-2, DEK and DET); here the lists are known before the tap.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.emv import tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import FORBIDDEN_IN_DE55, Outcome
from terminal.emv.tlv import decode

_BALANCE_READING = 0x02  # 9F5D byte 2


def read_data(activation: Activation) -> Dialogue[dict[int, bytes]]:
    """The objects that the settings want of the card, as far as it gives them (GET DATA).

    Raises:
        CardError: an answer is malformed.
    """
    found = {}
    for tag in activation.combination.data_to_read:
        value = yield from _get_data(tag)
        if value is not None and tag not in FORBIDDEN_IN_DE55:
            found[tag] = value
    return found


def _get_data(tag: int) -> Dialogue[bytes | None]:
    response = yield Command(0x80, 0xCA, tag >> 8 & 0xFF, tag & 0xFF)
    if not response.ok:
        return None
    outer = decode(response.data)
    return outer[0].value if len(outer) == 1 and outer[0].tag == tag else None


def finish(activation: Activation, outcome: Outcome, data: dict[int, bytes]) -> Dialogue[Outcome]:
    """What follows the cryptogram: PUT DATA, then the balance; the outcome with what was read.

    A card that refuses either has paid all the same.

    Raises:
        CardError: an answer is malformed.
    """
    if outcome.card is None:
        return outcome
    for tag, value in activation.combination.data_to_write.items():
        yield Command(0x80, 0xDA, tag >> 8 & 0xFF, tag & 0xFF, value, None)
    balance = None
    capabilities = activation.application.objects.get(tags.CAPABILITIES_INFORMATION_9F5D, b"")
    able = bool(capabilities[1:2]) and capabilities[1] & _BALANCE_READING
    if activation.combination.reads_balance and able:
        stated = yield from _get_data(tags.BALANCE_9F50)
        if stated is not None and len(stated) == 6 and stated.hex().isdecimal():
            balance = int(stated.hex())
    return replace(outcome, data=data, balance_minor=balance)
