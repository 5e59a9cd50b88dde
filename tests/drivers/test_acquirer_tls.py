"""The link to the host, against a real TLS server on loopback that misbehaves."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.acquirer import TlsHost, tls_context
from drivers.registry import AcquirerSettings
from terminal.errors import HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.iso8583.framing import MESSAGE_MAX_BYTES, Framing
from tests.drivers.tls_server import PATIENCE_S, Authority, Identity, Peer, Pki, Server

REQUEST = b"REQUEST-ONE"
SECOND = b"REQUEST-TWO"
SHORT_S = 0.4  # Long enough to answer on loopback, short enough to wait for in vain.


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def answer_to(request: bytes) -> bytes:
    return b"ANSWER-TO-" + request


def echo(peer: Peer) -> None:
    while True:
        peer.send(answer_to(peer.receive()))


def till_context(
    pki: Pki, *, ca: Authority | None = None, identity: Identity | None = None
) -> ssl.SSLContext:
    return tls_context(
        AcquirerSettings(
            terminal_id="T",
            merchant_id="M",
            state_dir=Path(),
            ca_file=(ca or pki.ca).file,
            certificate_file=identity.certificate if identity else None,
            private_key_file=identity.key if identity else None,
        )
    )


@contextmanager
def link_to(
    server: Server,
    context: ssl.SSLContext,
    *,
    address: str = "127.0.0.1",
    connect_timeout_s: float = PATIENCE_S,
) -> Iterator[TlsHost]:
    host = TlsHost(
        address,
        server.port,
        context,
        framing=server.framing,
        connect_timeout_s=connect_timeout_s,
    )
    try:
        yield host
    finally:
        host.close()


def ask(host: TlsHost, request: bytes = REQUEST, timeout_s: float = PATIENCE_S) -> bytes:
    wanted = answer_to(request)
    return host.exchange(request, is_answer=lambda wire: wire == wanted, timeout_s=timeout_s)


def assert_tells_nothing(error: HostError) -> None:
    assert error.message.endswith(".")
    for secret in ("REQUEST", "ANSWER", REQUEST.hex()):
        assert secret not in str(error)
        assert secret not in repr(error)


# A host that behaves.


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_messages_share_one_connection(
    pki: Pki, framing: Framing, newest: ssl.TLSVersion, address: str
) -> None:
    context = pki.server_context(pki.server, newest=newest)
    with (
        Server(context, echo, framing=framing) as server,
        link_to(server, till_context(pki), address=address) as host,
    ):
        for number in range(3):
            assert ask(host, b"REQUEST-%d" % number) == b"ANSWER-TO-REQUEST-%d" % number
        assert server.connections == 1


def test_a_host_that_gives_no_session_tickets_is_served_all_the_same(pki: Pki) -> None:
    """The first record from the host is then its answer, and nothing ends the wait early."""
    context = pki.server_context(pki.server, clients=pki.ca)
    context.num_tickets = 0
    with (
        Server(context, echo) as server,
        link_to(server, till_context(pki, identity=pki.till)) as host,
    ):
        assert ask(host) == answer_to(REQUEST)
        assert ask(host, SECOND) == answer_to(SECOND)
        assert server.connections == 1


def test_nothing_is_connected_before_the_first_message(pki: Pki) -> None:
    with (
        Server(pki.server_context(pki.server), echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        host.close()
        host.close()
        assert server.connections == 0
        ask(host)
        host.close()
        host.close()
        ask(host)
        assert server.connections == 2


def test_the_longest_messages_pass(pki: Pki) -> None:
    long = bytes(range(256)) * (MESSAGE_MAX_BYTES // 256)

    def answer_at_length(peer: Peer) -> None:
        assert peer.receive() == long
        peer.send(long)

    with (
        Server(pki.server_context(pki.server), answer_at_length) as server,
        link_to(server, till_context(pki)) as host,
    ):
        assert host.exchange(long, is_answer=long.__eq__, timeout_s=PATIENCE_S) == long


def test_tls_is_never_older_than_1_2_and_always_checked(pki: Pki) -> None:
    context = till_context(pki)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


# Nothing left the socket.


def test_nobody_listens(pki: Pki) -> None:
    with Server(pki.server_context(pki.server), echo) as server:
        port = server.port
    host = TlsHost("127.0.0.1", port, till_context(pki), framing=Framing.LEN2)
    with pytest.raises(HostUnreachable, match="cannot be reached") as failed:
        ask(host)
    assert_tells_nothing(failed.value)


def test_an_address_of_a_kind_that_the_kernel_lacks(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As IPv6 on a board that has it switched off: the next address is taken, or none answers."""
    found = socket.getaddrinfo
    strange = (socket.AF_SNA, socket.SOCK_STREAM, 0, "", ("::1", 1, 0, 0))

    def lookup(*_: object, **__: object) -> list[object]:
        return [strange, *(found("127.0.0.1", server.port, type=socket.SOCK_STREAM) if up else [])]

    with (
        Server(pki.server_context(pki.server), echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        up = False
        with pytest.raises(HostUnreachable, match="cannot be reached"):
            ask(host)
        up = True
        assert ask(host) == answer_to(REQUEST)


def test_a_name_that_nobody_knows(pki: Pki) -> None:
    host = TlsHost("host.invalid", 5000, till_context(pki), framing=Framing.LEN2)
    with pytest.raises(HostUnreachable, match=r"host\.invalid cannot be found"):
        ask(host)


@pytest.mark.parametrize("wrong", ["expired", "misnamed", "nameless", "strange"])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_wrong_certificate_gets_nothing(pki: Pki, wrong: str, newest: ssl.TLSVersion) -> None:
    context = pki.server_context(getattr(pki, wrong), newest=newest)
    with Server(context, echo) as server, link_to(server, till_context(pki)) as host:
        with pytest.raises(HostUnreachable, match=r"certificate .* is refused: .*\w\.$") as failed:
            ask(host)
        assert failed.value.remedy
        assert server.received == []


def test_a_pinned_ca_is_the_only_one_believed(pki: Pki) -> None:
    with (
        Server(pki.server_context(pki.server), echo) as server,
        link_to(server, till_context(pki, ca=pki.other_ca)) as host,
    ):
        with pytest.raises(HostUnreachable, match="is refused"):
            ask(host)
        assert server.received == []


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_mutual_tls_lets_the_right_till_in(pki: Pki, newest: ssl.TLSVersion) -> None:
    context = pki.server_context(pki.server, clients=pki.ca, newest=newest)
    with (
        Server(context, echo) as server,
        link_to(server, till_context(pki, identity=pki.till)) as host,
    ):
        assert ask(host) == answer_to(REQUEST)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("wrong", [None, "strange_till"])
def test_a_till_that_is_not_let_in_has_sent_nothing(
    pki: Pki, newest: ssl.TLSVersion, wrong: str | None
) -> None:
    """In TLS 1.3 the refusal comes after the till's own handshake; it must still be in time."""
    identity = getattr(pki, wrong) if wrong else None
    context = pki.server_context(pki.server, clients=pki.ca, newest=newest)
    with (
        Server(context, echo) as server,
        link_to(server, till_context(pki, identity=identity)) as host,
    ):
        with pytest.raises(HostUnreachable, match="refuses the TLS connection") as failed:
            ask(host)
        assert "certificate" in failed.value.remedy
        assert server.received == []


def test_a_host_that_speaks_no_tls(pki: Pki) -> None:
    def greet(peer: Peer) -> None:
        peer.raw(b"220 mail.example ESMTP\r\n")
        peer.receive()

    with Server(None, greet) as server, link_to(server, till_context(pki)) as host:
        with pytest.raises(HostUnreachable, match="TLS") as failed:
            ask(host)
        assert_tells_nothing(failed.value)


def test_a_host_that_accepts_and_says_nothing(pki: Pki) -> None:
    def sleep(peer: Peer) -> None:
        while True:
            peer.read_one_byte()

    with (
        Server(None, sleep) as server,
        link_to(server, till_context(pki), connect_timeout_s=SHORT_S) as host,
        pytest.raises(HostUnreachable, match="does not finish the TLS handshake"),
    ):
        ask(host)


def test_without_time_nothing_is_sent(pki: Pki) -> None:
    with (
        Server(pki.server_context(pki.server), echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        with pytest.raises(HostUnreachable):
            ask(host, timeout_s=0)
        ask(host)
        with pytest.raises(HostUnreachable, match="No time was left"):
            ask(host, SECOND, timeout_s=0)
        assert server.received == [REQUEST]


# An idle connection that has died is noticed before a byte is written into it.


@pytest.mark.parametrize("ending", [Peer.say_goodbye, Peer.hang_up, Peer.reset])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_dead_idle_connection_is_replaced(
    pki: Pki, ending: Callable[[Peer], None], newest: ssl.TLSVersion
) -> None:
    answered, ended = threading.Event(), threading.Event()

    def answer_once(peer: Peer) -> None:
        peer.send(answer_to(peer.receive()))
        # A reset throws away what the till has not read yet.
        assert answered.wait(PATIENCE_S)
        answered.clear()
        ending(peer)
        ended.set()

    context = pki.server_context(pki.server, newest=newest)
    with Server(context, answer_once) as server, link_to(server, till_context(pki)) as host:
        for number in range(4):
            ended.clear()
            ask(host, b"REQUEST-%d" % number)
            answered.set()
            assert ended.wait(PATIENCE_S)
        assert server.connections == 4
        assert len(server.received) == 4


@pytest.mark.parametrize("ending", [Peer.say_goodbye, Peer.hang_up, Peer.reset])
def test_a_host_that_went_down_while_idle_is_unreachable(
    pki: Pki, ending: Callable[[Peer], None]
) -> None:
    answered, ended = threading.Event(), threading.Event()

    def answer_once(peer: Peer) -> None:
        peer.send(answer_to(peer.receive()))
        assert answered.wait(PATIENCE_S)
        ending(peer)
        ended.set()

    with (
        Server(pki.server_context(pki.server), answer_once) as server,
        link_to(server, till_context(pki)) as host,
    ):
        ask(host)
        answered.set()
        assert ended.wait(PATIENCE_S)
        server.stop_listening()
        with pytest.raises(HostUnreachable, match="cannot be reached"):
            ask(host, SECOND)


@pytest.mark.parametrize(
    "noise", [b"\xff\xff", b"\x00\x00", b"\x00\x05ab"], ids=["oversized", "empty", "half"]
)
def test_noise_on_an_idle_connection_replaces_it(pki: Pki, noise: bytes) -> None:
    made = threading.Event()

    def answer_and_babble(peer: Peer) -> None:
        peer.send(answer_to(peer.receive()))
        peer.raw(noise)
        made.set()
        peer.receive()

    with (
        Server(pki.server_context(pki.server), answer_and_babble, echo) as server,
        link_to(server, till_context(pki)) as host,
    ):
        ask(host)
        assert made.wait(PATIENCE_S)
        assert ask(host, SECOND) == answer_to(SECOND)
        assert server.received == [REQUEST, SECOND]
        assert server.connections == 2


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
