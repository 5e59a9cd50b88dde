"""The link to the host, against a real TLS server on loopback: before anything is sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from drivers.acquirer import TlsHost
from terminal.errors import HostUnreachable
from terminal.iso8583.framing import MESSAGE_MAX_BYTES, Framing
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
