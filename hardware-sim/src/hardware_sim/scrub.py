"""Takes the cardholder out of a recorded dialogue, and leaves the dialogue playable.

Rules of this file: it fails closed. Every value that names a card or its holder is replaced by a
test value of the same length, the same one wherever it stands, so that what referred to each other
still does. An answer that cannot be read is blanked whole. Then the number is looked for in every
form that a card could give it; if it is found, nothing is written. A number that is a known test
card's is left as it is, with all that belongs to it: those are public. What a signature or
certificate would give away (the card's certificate holds the whole number) is blanked too, so a
scrubbed dialogue has no offline data authentication.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hardware_sim.catalogue import accounts
from hardware_sim.leaks import find
from terminal.emv.explain import TEST_ACCOUNTS
from terminal.emv.tlv import Tlv, decode, walk
from terminal.errors import CardError, TerminalError

TRACK2_57 = 0x57
PAN_5A = 0x5A
TRACK2_9F6B = 0x9F6B
_TRACKS = frozenset({TRACK2_57, TRACK2_9F6B})

_BLANKED = frozenset(
    {
        # Track 1, its parts, the holder's name, the account reference, the real card's last digits.
        *(0x56, 0x9F1F, 0x9F20, 0x5F20, 0x9F0B, 0x9F24, 0x9F25, 0x9F61, 0x5F50),
        # The card's certificates hold its number; what they sign goes with them.
        *(0x9F46, 0x9F48, 0x9F2D, 0x9F2F, 0x9F4B, 0x93),
        # Identifiers of the chip and of the account at its bank.
        *(0x9F7F, 0x5F53, 0x5F54, 0x42, 0x9F5D, 0x9F50),
    }
)


class StillThere(TerminalError):
    """A card number is left in a dialogue after everything known was replaced."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer; None for an answer that never came."""

    command: bytes = field(repr=False)
    response: bytes | None = field(repr=False)


def scrubbed(exchanges: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """The dialogue without its cardholder.

    Raises:
        StillThere: a number is still in it; nothing of it may be written.
    """
    numbers = _numbers(exchanges)
    real = sorted(number for number in numbers if not _is_test(number))
    if numbers and not real:
        return tuple(exchanges)
    swaps = _swaps(exchanges, real)
    clean = tuple(
        Exchange(_swapped(each.command, swaps), _clean_answer(each.response, swaps))
        for each in exchanges
    )
    content = b"".join(part for each in clean for part in (each.command, each.response or b""))
    if find("dialogue", content, {f"card {n}": number for n, number in enumerate(real)}):
        raise StillThere(
            "The card's number stands in this dialogue where it cannot be replaced.",
            remedy="It was not recorded. Record another card, or a test card.",
        )
    return clean


def test_number(number: str) -> str:
    """A number of the same issuer and length that belongs to nobody: zeros and a check digit."""
    body = number[:6] + "0" * (len(number) - 7)
    digits = [int(digit) for digit in reversed(body)]
    doubled = sum(digit * 2 - 9 * (digit > 4) for digit in digits[0::2])
    return body + str(-(doubled + sum(digits[1::2])) % 10)


test_number.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


def _is_test(number: str) -> bool:
    return number in TEST_ACCOUNTS or number in accounts()


def _objects(exchanges: Sequence[Exchange]) -> Iterator[Tlv]:
    for each in exchanges:
        if each.response is None or len(each.response) <= 2:
            continue
        try:
            yield from walk(decode(each.response[:-2]))
        except CardError:
            # No TLV: then it is searched as bytes, like everything else.
            continue


def _number_in(tag: int, value: bytes) -> str:
    digits = value.hex().upper()
    return digits.partition("D")[0] if tag in _TRACKS else digits.rstrip("F")


def _numbers(exchanges: Sequence[Exchange]) -> set[str]:
    found = {
        _number_in(each.tag, each.value)
        for each in _objects(exchanges)
        if each.tag == PAN_5A or each.tag in _TRACKS
    }
    return {number for number in found if number.isdecimal() and 12 <= len(number) <= 19}


def _swaps(exchanges: Sequence[Exchange], real: Sequence[str]) -> dict[bytes, bytes]:
    """Old values and new ones of the same length, the longest first."""
    swaps: dict[bytes, bytes] = {}
    for each in _objects(exchanges):
        if each.tag in _TRACKS or each.tag == PAN_5A:
            swaps[each.value] = _other_number(each.tag, each.value)
        elif each.tag in _BLANKED and each.value:
            swaps[each.value] = bytes(len(each.value))
    for number in real:
        packed, other = number + "F" * (len(number) % 2), test_number(number)
        swaps[bytes.fromhex(packed)] = bytes.fromhex(other + "F" * (len(other) % 2))
        swaps[number.encode()] = other.encode()
    return dict(sorted(swaps.items(), key=lambda pair: -len(pair[0])))


def _other_number(tag: int, value: bytes) -> bytes:
    number = _number_in(tag, value)
    if not number.isdecimal() or len(number) < 8:
        return bytes(len(value))
    other = test_number(number)
    if tag == PAN_5A:
        return bytes.fromhex(other.ljust(2 * len(value), "F"))
    # Expiry and service code stay; what the bank has put behind them goes.
    rest = value.hex().upper()[len(number) :]
    kept, discretionary = rest[:8], rest[8:]
    blank = "".join("F" if digit == "F" else "0" for digit in discretionary)
    return bytes.fromhex(other + kept + blank)


def _clean_answer(response: bytes | None, swaps: dict[bytes, bytes]) -> bytes | None:
    if response is None or len(response) <= 2:
        return response
    try:
        decode(response[:-2])
    except CardError:
        return bytes(len(response) - 2) + response[-2:]
    return _swapped(response, swaps)


def _swapped(content: bytes, swaps: dict[bytes, bytes]) -> bytes:
    for old, new in swaps.items():
        # Short values (a digit pair, a flag) would be found where they mean something else.
        if len(old) >= 2:
            content = content.replace(old, new)
    return content
