"""The link to the host, against a real TLS server that misbehaves once it was asked."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from terminal.errors import HostGarbled, HostSilent
from terminal.iso8583.framing import Framing
from tests.drivers.tls_links import (
    REQUEST,
    SECOND,
    SHORT_S,
    answer_to,
    ask,
    assert_tells_nothing,
    echo,
    link_to,
    till_context,
)
from tests.drivers.tls_server import PATIENCE_S, Peer, Pki, Server

# Something left the socket: the fate of the sale is not known.


def after_a_good_start(script: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Answers one message first, so that a short wait is for the answer and not for TLS."""

    def play(peer: Peer) -> None:
        peer.send(answer_to(peer.receive()))
        script(peer)

    return play


def read_all_then_hang_up(peer: Peer) -> None:
    peer.receive()
    peer.hang_up()


def read_all_then_say_goodbye(peer: Peer) -> None:
    peer.receive()
    peer.say_goodbye()


def read_all_then_reset(peer: Peer) -> None:
    peer.receive()
    peer.reset()


def read_one_byte_then_reset(peer: Peer) -> None:
    peer.read_one_byte()
    peer.reset()


def never_answer(peer: Peer) -> None:
    while True:
        peer.receive()


def drip(peer: Peer) -> None:
    """A byte of the answer at a time, for as long as anybody listens."""
    peer.receive()
    for byte in itertools.chain(b"\x1f\x00", itertools.repeat(0x41)):
        peer.raw(bytes([byte]))
        time.sleep(0.02)


def drip_messages(peer: Peer) -> None:
    """Whole messages that are all about something else, without end."""
    peer.receive()
    while True:
        peer.send(b"ANSWER-TO-SOMETHING-ELSE")


@pytest.mark.parametrize(
    "script",
    [
        read_all_then_hang_up,
        read_all_then_say_goodbye,
        read_all_then_reset,
        read_one_byte_then_reset,
        never_answer,
        drip,
        drip_messages,
    ],
)
def test_no_answer_is_silence_and_ends_the_connection(
    pki: Pki, script: Callable[[Peer], None]
) -> None:
    with (
        Server(pki.server_context(pki.server), after_a_good_start(script), echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        ask(host, b"REQUEST-NIL")
        with pytest.raises(HostSilent) as failed:
            ask(host, timeout_s=SHORT_S)
        assert_tells_nothing(failed.value)
        assert ask(host, SECOND) == answer_to(SECOND)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("framing", "noise"),
    [
        (Framing.LEN2, b"\xff\xffgarbage"),
        (Framing.LEN2, b"\x00\x00"),
        (Framing.LEN2, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (Framing.ASCII4, b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        (Framing.ASCII4, b"+009ANSWER-TO"),
        (Framing.ASCII4, b"9999"),
    ],
)
def test_a_broken_length_is_garbled_and_ends_the_connection(
    pki: Pki, framing: Framing, noise: bytes
) -> None:
    def babble(peer: Peer) -> None:
        peer.receive()
        peer.raw(noise)
        peer.receive()

    with (
        Server(pki.server_context(pki.server), babble, echo, framing=framing) as server,
        link_to(server, till_context(pki)) as host,
    ):
        with pytest.raises(HostGarbled) as failed:
            ask(host)
        assert_tells_nothing(failed.value)
        assert ask(host, SECOND) == answer_to(SECOND)
        assert server.connections == 2


def test_an_answer_that_breaks_off_is_garbled(pki: Pki) -> None:
    def break_off(peer: Peer) -> None:
        peer.receive()
        peer.raw(b"\x00\x16ANSWER-TO")
        peer.say_goodbye()

    with (
        Server(pki.server_context(pki.server), break_off) as server,
        link_to(server, till_context(pki)) as host,
        pytest.raises(HostGarbled, match="inside a message"),
    ):
        ask(host)


def test_bytes_that_somebody_slipped_under_tls_are_garbled(pki: Pki) -> None:
    def slip(peer: Peer) -> None:
        peer.receive()
        peer.under_tls(b"\x17\x03\x03\x00\x16" + b"ANSWER-TO-REQUEST-ONE.")
        peer.receive()

    with (
        Server(pki.server_context(pki.server), slip) as server,
        link_to(server, till_context(pki)) as host,
        pytest.raises(HostGarbled, match="TLS failed") as failed,
    ):
        ask(host)
    assert_tells_nothing(failed.value)


# Copies and late answers never become the answer to something else.


def test_an_answer_that_comes_twice_counts_once(pki: Pki) -> None:
    def answer_twice(peer: Peer) -> None:
        while True:
            answer = answer_to(peer.receive())
            peer.send(answer, answer)

    with (
        Server(pki.server_context(pki.server), answer_twice) as server,
        link_to(server, till_context(pki)) as host,
    ):
        for number in range(5):
            assert ask(host, b"REQUEST-%d" % number) == b"ANSWER-TO-REQUEST-%d" % number
        assert server.connections == 1


def test_messages_about_something_else_are_passed_over(pki: Pki) -> None:
    def answer_last(peer: Peer) -> None:
        peer.send(b"GOOD MORNING")
        request = peer.receive()
        peer.send(b"ANSWER-TO-SOMETHING-ELSE", SECOND, answer_to(request), b"AND MORE")

    with (
        Server(pki.server_context(pki.server), answer_last) as server,
        link_to(server, till_context(pki)) as host,
    ):
        assert ask(host) == answer_to(REQUEST)


def test_a_late_answer_has_no_connection_to_arrive_on(pki: Pki) -> None:
    """Even for a predicate that takes anything, and even if the host sends it at once."""
    asked_again = threading.Event()
    late = threading.Event()

    def answer_late(peer: Peer) -> None:
        request = peer.receive()
        assert asked_again.wait(PATIENCE_S)
        try:
            peer.send(answer_to(request))
        finally:
            late.set()

    def answer_now(peer: Peer) -> None:
        request = peer.receive()
        asked_again.set()
        assert late.wait(PATIENCE_S)
        peer.send(answer_to(request))

    context = pki.server_context(pki.server)
    with (
        Server(context, after_a_good_start(answer_late), answer_now) as server,
        link_to(server, till_context(pki)) as host,
    ):
        ask(host, b"REQUEST-NIL")
        with pytest.raises(HostSilent):
            ask(host, timeout_s=SHORT_S)
        got = host.exchange(SECOND, is_answer=lambda _: True, timeout_s=PATIENCE_S)
        assert got == answer_to(SECOND)


def test_a_predicate_that_fails_ends_the_connection(pki: Pki) -> None:
    def broken(_: bytes) -> bool:
        raise AssertionError("our own mistake")

    with (
        Server(pki.server_context(pki.server), echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        with pytest.raises(AssertionError, match="our own mistake"):
            host.exchange(REQUEST, is_answer=broken, timeout_s=PATIENCE_S)
        assert ask(host, SECOND) == answer_to(SECOND)
        assert server.connections == 2
