"""Mag-stripe mode of kernel 2: track 2 with a dynamic code (EMV Contactless Book C-2, CCC and S78).

Rules of this file: nothing here runs unless the settings ask for it, because nothing that a card
answers in this mode can be checked by the terminal. Where the digits go is the rule of C-2 as two
published kernels have it; the exchange is that of a published transcript.
"""

from __future__ import annotations

from terminal.emv import dol, tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.application import read_records
from terminal.emv.kernels.activation import (
    Activation,
    account,
    declined,
    online,
    refused_options,
    see_phone,
)
from terminal.emv.outcome import Cvm, Outcome
from terminal.emv.tlv import decode
from terminal.errors import CardError

_DEFAULT_UDOL = bytes.fromhex("9F6A04")
_ON_DEVICE_BY_CARD = 0x02  # AIP byte 1
_INTERACTION_DF4B = 0xDF4B
_INTERACTION_MASK = 0x00030F
_ON_DEVICE_OFFSET = 5


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the mode on an application whose options are there.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    application = activation.application
    yield from read_records(application, application.afl)
    objects, terminal = application.objects, activation.terminal
    track = objects.need(tags.TRACK_2_9F6B).hex().upper().rstrip("F")
    places = int.from_bytes(objects.need(tags.UN_PLACES_9F66))
    count = places.bit_count() - int.from_bytes(objects.need(tags.ATC_DIGITS_9F67))
    if not 0 <= count <= 8:
        raise CardError("The card asks for an impossible count of unpredictable digits.")
    digits = f"{int.from_bytes(terminal[tags.UNPREDICTABLE_NUMBER_9F37]):010d}"[-8:]
    number = (digits[8 - count :]).rjust(8, "0")
    terminal[tags.UNPREDICTABLE_NUMERIC_9F6A] = bytes.fromhex(number)
    udol = dol.parse(objects.get(tags.UDOL_9F69, _DEFAULT_UDOL))
    response = yield Command(0x80, 0x2A, 0x8E, 0x80, dol.fill(udol, terminal))
    if not response.ok:
        return refused_options(activation, response.sw, "COMPUTE CRYPTOGRAPHIC CHECKSUM")
    outer = decode(response.data)
    if len(outer) != 1 or outer[0].tag != tags.RESPONSE_FORMAT_2_77:
        raise CardError("The answer to COMPUTE CRYPTOGRAPHIC CHECKSUM is not one template 77.")
    objects.add(outer[0].children)
    over_limit, on_device = _over_cvm_limit(activation), application.aip_has(1, _ON_DEVICE_BY_CARD)
    code = objects.get(tags.CVC3_TRACK_2_9F61)
    if code is None:
        return _without_code(activation)
    claims = over_limit and on_device
    written = _filled(activation, track, code, number, count, claims=claims)
    objects.put(tags.TRACK_2_57, bytes.fromhex(written + "F" * (len(written) % 2)))
    cvm = Cvm.CONFIRMATION_CODE if claims else Cvm.SIGNATURE if over_limit else Cvm.NONE
    return online(activation, "mag-stripe mode is always online", account(activation), cvm)


def _over_cvm_limit(activation: Activation) -> bool:
    limit = activation.combination.cvm_limit_minor
    return limit is not None and activation.request.amount.minor > limit


def _without_code(activation: Activation) -> Outcome:
    """A phone that gives no code wants something of its owner, or declines."""
    wish = activation.application.objects.get(_INTERACTION_DF4B, b"")
    if int.from_bytes(wish[:3]) & _INTERACTION_MASK:
        return see_phone(activation, "the phone wants its owner's attention")
    return declined(activation, "the card gave no code for its track", None)


def _filled(
    activation: Activation, track: str, code: bytes, number: str, count: int, *, claims: bool
) -> str:
    """Track 2 with the code, the unpredictable digits, the counter's digits and their count.

    Places count from the right end of the discretionary data; bit 1 is the last digit.

    Raises:
        CardError: the track has no discretionary data, or a place outside of it.
    """
    objects = activation.application.objects
    account_, separator, rest = track.partition("D")
    fixed, free = rest[:7], list(reversed(rest[7:]))
    if not separator or not free:
        raise CardError("The card's track 2 (9F6B) has no room for a code.")
    code_places = _places(objects.need(tags.CVC3_PLACES_9F65))
    places = _places(objects.need(tags.UN_PLACES_9F66))
    if any(at >= len(free) for at in (*code_places, *places)):
        raise CardError("The card wants digits outside its track 2.")
    value = f"{int.from_bytes(code):05d}".rjust(len(code_places), "0")
    _write(free, code_places, value[len(value) - len(code_places) :])
    _write(free, places[:count], number[8 - count :])
    counter = f"{int.from_bytes(objects.need(tags.ATC_9F36)):08d}"
    _write(free, places[count:], counter[8 - len(places[count:]) :])
    free[0] = str((count + (_ON_DEVICE_OFFSET if claims else 0)) % 10)
    return account_ + separator + fixed + "".join(reversed(free))


def _places(bitmap: bytes) -> list[int]:
    number = int.from_bytes(bitmap)
    return [at for at in range(number.bit_length()) if number >> at & 1]


def _write(free: list[str], places: list[int], digits: str) -> None:
    """The last digit goes to the first place from the right, and so on."""
    for place, digit in zip(places, reversed(digits), strict=True):
        free[place] = digit
