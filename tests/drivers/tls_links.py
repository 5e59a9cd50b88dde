"""Links to a real TLS server on loopback, and what is asked over them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.acquirer import TlsHost, tls_context
from drivers.registry import AcquirerSettings
from terminal.errors import HostError
from tests.drivers.tls_server import PATIENCE_S, Authority, Identity, Peer, Pki, Server

REQUEST = b"REQUEST-ONE"
SECOND = b"REQUEST-TWO"
SHORT_S = 0.4  # Long enough to answer on loopback, short enough to wait for in vain.


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
