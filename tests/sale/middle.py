"""A man in the middle of the till's line: on the TCP stream, or inside TLS with the host's own key.

``Middle`` listens on loopback and passes on what ``mangle`` gives back for each piece. Outside TLS
a piece is what came in one read; inside, it is one whole message of the host (with its length).
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from terminal.iso8583.framing import Deframer, Framing, frame

Mangle = Callable[[bytes], list[bytes]]
IO_TIMEOUT_S = 20.0


class Middle:
    """Between one till and the acquirer on ``port``.

    Args:
        port: where the acquirer listens.
        mangle: what becomes of each piece that the host sends; None for all that is untouched.
        up: the same for what the till sends, outside TLS alone.
        inside: the acquirer's folder, for a man who has its key and sits inside TLS.
    """

    def __init__(
        self,
        port: int,
        mangle: Mangle,
        *,
        up: Mangle = lambda piece: [piece],
        inside: Path | None = None,
    ) -> None:
        self.mangle = mangle
        self.up = up
        self.touched = 0
        self._upstream = port
        self._inside = inside
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                till, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(till,), daemon=True).start()

    def _serve(self, till: socket.socket) -> None:
        try:
            host = socket.create_connection(("127.0.0.1", self._upstream), IO_TIMEOUT_S)
        except OSError:
            till.close()
            return
        for sock in (till, host):
            sock.settimeout(IO_TIMEOUT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._inside is not None:
            try:
                till, host = self._within(till, host, self._inside)
            except OSError:
                till.close()
                host.close()
                return
        whole = self._inside is not None
        with suppress(OSError):
            _pump(
                {
                    till: _Way(host, self._up_now),
                    host: _Way(till, self._down_now, Deframer(Framing.LEN2) if whole else None),
                }
            )
        till.close()
        host.close()

    def _up_now(self, piece: bytes) -> list[bytes]:
        return self._counted(piece, self.up(piece))

    def _down_now(self, piece: bytes) -> list[bytes]:
        return self._counted(piece, self.mangle(piece))

    def _counted(self, piece: bytes, passed_on: list[bytes]) -> list[bytes]:
        # A split alone changes nothing that TLS or TCP would notice.
        self.touched += b"".join(passed_on) != piece
        return passed_on

    def _within(
        self, till: socket.socket, host: socket.socket, folder: Path
    ) -> tuple[socket.socket, socket.socket]:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(folder / "ca.pem")
        client.load_cert_chain(folder / "till.pem", folder / "till-key.pem")
        return (
            server.wrap_socket(till, server_side=True),
            client.wrap_socket(host, server_hostname="127.0.0.1"),
        )


@dataclass(frozen=True)
class _Way:
    """Where what comes from one side goes; whole messages with a ``deframer``."""

    target: socket.socket
    mangle: Mangle
    deframer: Deframer | None = None

    def carry(self, piece: bytes) -> None:
        messages = [piece]
        if self.deframer is not None:
            messages = [frame(Framing.LEN2, one) for one in self.deframer.feed(piece)]
        for message in messages:
            for other in self.mangle(message):
                self.target.sendall(other)


def _pump(ways: dict[socket.socket, _Way]) -> None:
    """Moves bytes both ways until either side ends.

    On one thread: OpenSSL's connections are not made to be read and written at the same time, and
    a Python that does it ends in a segmentation fault once in a while.
    """
    while True:
        ready = [source for source in ways if _pending(source)]
        ready = ready or select.select(list(ways), [], [], IO_TIMEOUT_S)[0]
        if not ready:
            return
        for source in ready:
            piece = _read(source)
            if piece == b"":
                return
            if piece is not None:
                ways[source].carry(piece)


def _pending(source: socket.socket) -> bool:
    """Whether TLS has deciphered more than was read; the socket itself says nothing of it."""
    return isinstance(source, ssl.SSLSocket) and source.pending() > 0


def _read(source: socket.socket) -> bytes | None:
    """What has come, b"" at the end; None where it was no data, as a session ticket of TLS."""
    source.settimeout(0)
    try:
        return source.recv(16_384)
    except (ssl.SSLWantReadError, BlockingIOError):
        return None
    finally:
        source.settimeout(IO_TIMEOUT_S)
