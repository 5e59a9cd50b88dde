"""A man in the middle of the till's line: on the TCP stream, or inside TLS with the host's own key.

``Middle`` listens on loopback and passes on what ``mangle`` gives back for each piece. Outside TLS
a piece is what came in one read; inside, it is one whole message of the host (with its length).
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
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
        threads = [
            threading.Thread(target=_pump, args=pump, daemon=True)
            for pump in (
                (till, host, self._up_now, False),
                (host, till, self._down_now, whole),
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
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


def _pump(source: socket.socket, target: socket.socket, mangle: Mangle, whole: bool) -> None:  # noqa: FBT001 - for Thread
    """Moves bytes until either side ends, whole messages or whatever a read brings."""
    deframer = Deframer(Framing.LEN2)
    try:
        while piece := source.recv(16_384):
            pieces = deframer.feed(piece) if whole else [piece]
            for one in pieces:
                for other in mangle(frame(Framing.LEN2, one) if whole else one):
                    target.sendall(other)
    except OSError:
        pass
    for sock in (source, target):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
