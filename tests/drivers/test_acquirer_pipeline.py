"""Several messages in flight on one TLS connection: none waits for another, none is lost unseen."""

from __future__ import annotations

import time

import pytest

from drivers.tls_host import TlsHost
from terminal.errors import HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.ports import Link
from tests.drivers.tls_links import SHORT_S, answer_to, link_to, till_context
from tests.drivers.tls_server import PATIENCE_S, Peer, Pki, Server

REQUESTS = [b"REQUEST-%03d" % number for number in range(40)]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def all_of(link: TlsHost, count: int) -> list[bytes]:
    """What comes, until it is so many."""
    came: list[bytes] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(came) < count and time.monotonic() < deadline:
        came += link.receive(timeout_s=PATIENCE_S)
    return came


def test_many_are_asked_before_the_first_is_answered(pki: Pki) -> None:
    def backwards(peer: Peer) -> None:
        asked = [peer.receive() for _ in REQUESTS]
        peer.send(*(answer_to(request) for request in reversed(asked)))
        # It stays, so that the end of the connection is no part of this.
        peer.receive()

    with Server(pki.server_context(pki.server), backwards) as server:
        with link_to(server, till_context(pki)) as link:
            assert isinstance(link, Link)
            for request in REQUESTS:
                link.send(request, timeout_s=PATIENCE_S)
            assert all_of(link, len(REQUESTS)) == [answer_to(r) for r in reversed(REQUESTS)]
            assert link.receive(timeout_s=0.0) == []
        assert server.connections == 1


def test_a_host_that_says_nothing_is_waited_for_as_long_as_was_said(pki: Pki) -> None:
    def mute(peer: Peer) -> None:
        peer.receive()
        peer.receive()

    with (
        Server(pki.server_context(pki.server), mute) as server,
        link_to(server, till_context(pki)) as link,
    ):
        link.send(REQUESTS[0], timeout_s=PATIENCE_S)
        started = time.monotonic()
        assert link.receive(timeout_s=SHORT_S) == []
        assert time.monotonic() - started >= SHORT_S


def ends(peer: Peer) -> None:
    asked = peer.receive()
    peer.receive()
    peer.send(answer_to(asked))
    peer.say_goodbye()


def breaks_off(peer: Peer) -> None:
    peer.receive()
    peer.receive()
    peer.raw(b"\x00\x20half")
    peer.say_goodbye()


def babbles(peer: Peer) -> None:
    peer.receive()
    peer.receive()
    # A message without a byte is none.
    peer.raw(b"\x00\x00" * 8)
    peer.receive()


@pytest.mark.parametrize(
    ("behaviour", "answered", "failure"),
    [(ends, 1, HostSilent), (breaks_off, 0, HostSilent), (babbles, 0, HostGarbled)],
)
def test_what_was_in_flight_on_a_lost_connection_is_said_to_be(
    pki: Pki, behaviour: object, answered: int, failure: type[HostError]
) -> None:
    script = behaviour
    with (
        Server(pki.server_context(pki.server), script) as server,  # type: ignore[arg-type]  # one of the scripts above
        link_to(server, till_context(pki)) as link,
    ):
        for request in REQUESTS[:2]:
            link.send(request, timeout_s=PATIENCE_S)
        if answered:
            assert link.receive(timeout_s=PATIENCE_S) == [answer_to(REQUESTS[0])]
        with pytest.raises(failure):
            link.receive(timeout_s=PATIENCE_S)
        # The connection is gone, and nothing else can come on it.
        with pytest.raises(HostSilent):
            link.receive(timeout_s=0.0)


def test_nothing_leaves_where_nobody_listens(pki: Pki) -> None:
    with Server(pki.server_context(pki.server), ends) as server:
        port = server.port
    lost = TlsHost("127.0.0.1", port, till_context(pki), framing=server.framing)
    with pytest.raises(HostUnreachable):
        lost.send(REQUESTS[0], timeout_s=PATIENCE_S)
    lost.close()
