"""The MAC of answers: which answer is taken, on a link that carries one message or several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from drivers.answer_mac import NO_ANSWER, MacKey, MacLink
from hardware_sim.acquirer_keys import CannotOpen, OpeningKeys
from terminal.errors import HostGarbled
from terminal.iso8583.answer_mac import mac_of
from terminal.iso8583.codec import Message
from terminal.iso8583.hostside import compose_answer, parse_request
from terminal.iso8583.messages import (
    compose_advice,
    compose_echo,
    compose_sale,
    is_answer_to,
    pack,
    unpack,
)
from terminal.iso8583.profiles import BASE87, BASE87_MAC
from tests.terminal.iso8583.sales import AT, FACTS

SALE = compose_sale(BASE87, FACTS)
ADVICE = compose_advice(BASE87, FACTS)
ECHO = compose_echo(BASE87, stan=7, at=AT, terminal_id="T1")
ACQUIRER = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER = X25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
KEYS = OpeningKeys((ACQUIRER,))
TILL = bytes(range(3, 35))


def honest(wire: bytes, keys: OpeningKeys = KEYS) -> bytes:
    """What an acquirer answers."""
    request = parse_request(BASE87_MAC, wire)
    code = "" if request.mti == "0800" else "A1B2C3"
    answer = unpack(BASE87_MAC, compose_answer(BASE87, request, "00", approval_code=code))
    if 120 not in request.fields:
        return pack(BASE87_MAC, answer)
    key = keys.answer_key(bytes.fromhex(request.fields[120]))
    mac = mac_of(BASE87_MAC, key, Message(request.mti, request.fields), answer)
    return pack(BASE87_MAC, Message(answer.mti, {**answer.fields, 128: mac}))


def changed(answer: bytes, **fields: str) -> bytes:
    message = unpack(BASE87_MAC, answer)
    named = {int(name[2:]): value for name, value in fields.items()}
    kept = {n: value for n, value in {**message.fields, **named}.items() if value}
    return pack(BASE87_MAC, Message(message.mti, kept))


@dataclass
class Wire:
    """A link whose other end is a function."""

    answers: Callable[[bytes], list[bytes]]
    sent: list[bytes] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    closed: int = 0

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        self.sent.append(request)
        return next(answer for answer in self.answers(request) if is_answer(answer))

    def send(self, request: bytes, *, timeout_s: float) -> None:
        self.sent.append(request)
        self.waiting += self.answers(request)

    def receive(self, *, timeout_s: float) -> list[bytes]:
        came, self.waiting = self.waiting, []
        return came

    def close(self) -> None:
        self.closed += 1


def linked(wire: Wire, acquirer: X25519PublicKey | None = None) -> MacLink:
    key = MacKey(acquirer or ACQUIRER.public_key(), TILL)
    return MacLink(wire, BASE87_MAC, lambda: key)


def asked(link: MacLink, message: bytes) -> bytes:
    return link.exchange(message, is_answer=is_answer_to(BASE87_MAC, message), timeout_s=1)


@pytest.mark.parametrize("message", [SALE, ADVICE, ECHO], ids=["0200", "0220", "0800"])
def test_an_honest_answer_is_taken(message: bytes) -> None:
    wire = Wire(lambda request: [honest(request)])
    answer = unpack(BASE87_MAC, asked(linked(wire), message))
    assert answer.fields[39] == "00"
    # All but the till's key is what was recorded before it left.
    sent = unpack(BASE87_MAC, wire.sent[0])
    recorded = unpack(BASE87, message)
    assert {n: v for n, v in sent.fields.items() if n != 120} == dict(recorded.fields)


def test_a_message_that_goes_out_again_has_the_same_bytes() -> None:
    wires = [Wire(lambda request: [honest(request)]) for _ in range(2)]
    for wire in wires:
        asked(linked(wire), ADVICE)
    assert wires[0].sent == wires[1].sent


@pytest.mark.parametrize(
    "fields",
    [{"de128": ""}, {"de128": "00" * 8}, {"de39": "51", "de38": ""}, {"de38": "FORGED"}],
    ids=str,
)
def test_an_answer_without_its_mac_is_none(fields: dict[str, str]) -> None:
    wire = Wire(lambda request: [changed(honest(request), **fields)])
    with pytest.raises(HostGarbled, match="DE 128"):
        asked(linked(wire), SALE)
    assert wire.closed == 1
    link = linked(wire)
    link.send(SALE, timeout_s=1)
    assert link.receive(timeout_s=1) == [NO_ANSWER]


def test_the_answer_to_another_request_is_none() -> None:
    """The same numbers, and another amount: what an acquirer would have said to that."""
    dearer = changed(SALE, de4="000000009900")

    def swapped(request: bytes) -> list[bytes]:
        sent = unpack(BASE87_MAC, request)
        other = Message(sent.mti, {**sent.fields, 4: unpack(BASE87, dearer).fields[4]})
        said = unpack(BASE87_MAC, honest(pack(BASE87_MAC, other)))
        back = Message(said.mti, {**said.fields, 4: sent.fields[4]})
        return [pack(BASE87_MAC, back)]

    with pytest.raises(HostGarbled):
        asked(linked(Wire(swapped)), SALE)


def test_another_acquirer_cannot_answer() -> None:
    keys = OpeningKeys((OTHER,))
    with pytest.raises(CannotOpen):
        asked(linked(Wire(lambda request: [honest(request, keys)])), SALE)

    def with_its_own_key(request: bytes) -> list[bytes]:
        sent = unpack(BASE87_MAC, request)
        mine = MacKey(OTHER.public_key(), TILL).sent.hex().upper()
        forged = Message(sent.mti, {**sent.fields, 120: mine})
        return [honest(pack(BASE87_MAC, forged), keys)]

    with pytest.raises(HostGarbled):
        asked(linked(Wire(with_its_own_key)), SALE)


def test_what_answers_nothing_is_left_to_whoever_matches() -> None:
    late = honest(SALE)
    wire = Wire(lambda _: [late])
    link = linked(wire)
    link.send(ADVICE, timeout_s=1)
    assert link.receive(timeout_s=1) == [late]
