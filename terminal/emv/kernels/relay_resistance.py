"""EXCHANGE RELAY RESISTANCE DATA: has the card's answer travelled farther than its field?

Rules of this file: the time of each exchange comes with the answer, because a kernel has no
clock. Step numbers (SR1.18) are those of Daniel Hu's open kernel 2; he calls his untested, and the
exchange is held here against a card image of emv-card-simulator.
"""

from __future__ import annotations

from terminal.emv import tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.kernels.activation import Activation
from terminal.emv.relay import RelayResistance, RelayTimes
from terminal.emv.tlv import decode
from terminal.errors import CardError

# Terminal verification results, byte 5.
_PERFORMED = 0x02
_TIME_LIMITS_EXCEEDED = 0x04
_THRESHOLD_EXCEEDED = 0x08


def exchange_relay_resistance_data(
    activation: Activation, limits: RelayResistance
) -> Dialogue[tuple[bytes, int]]:
    """Runs the exchange, again where the card was too slow; what the card will sign, and the TVR.

    The terminal's entropy is the unpredictable number, and a new one takes its place at each
    attempt: there are as many as ``request.relay_entropy`` has numbers, and one more.

    Raises:
        CardError: the answer is malformed, or came sooner than the card says it can.
    """
    further = iter(activation.request.relay_entropy)
    while True:
        entropy = activation.terminal[tags.UNPREDICTABLE_NUMBER_9F37]
        response = yield Command(0x80, 0xEA, 0x00, 0x00, entropy)
        if not response.ok:
            raise CardError(f"EXCHANGE RELAY RESISTANCE DATA was answered with {response.sw:04X}.")
        answer = _read(response.data)
        times = RelayTimes(*(int.from_bytes(answer[at : at + 2]) for at in (4, 6, 8)))
        took = limits.processing_time(response.elapsed_s, times)
        if limits.is_too_fast(took, times):
            raise CardError("The card answered faster than it says it can.")
        slow = limits.is_too_slow(took, times)
        another = next(further, None) if slow else None
        if another is None:
            break
        activation.terminal[tags.UNPREDICTABLE_NUMBER_9F37] = another
    tvr = _PERFORMED
    if slow:
        tvr |= _TIME_LIMITS_EXCEEDED
    if limits.is_suspicious(took, times):
        tvr |= _THRESHOLD_EXCEEDED
    return entropy + answer, tvr


def _read(data: bytes) -> bytes:
    """The ten bytes of the answer: device entropy, minimum, maximum, time on the air.

    Raises:
        CardError: it is not template 80 with ten bytes.
    """
    outer = decode(data)
    if len(outer) != 1 or outer[0].tag != tags.RESPONSE_FORMAT_1_80 or len(outer[0].value) != 10:
        raise CardError("The answer to EXCHANGE RELAY RESISTANCE DATA is malformed.")
    return outer[0].value
