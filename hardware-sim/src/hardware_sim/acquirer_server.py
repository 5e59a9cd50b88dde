"""The simulated acquirer's door: TLS on loopback, one thread per connection.

Rules of this file: it moves frames and knows no message. Nothing that a client does, or leaves
undone, holds up another client: each connection has its own thread and deadlines. Answers wait
in the connection's own queue until they are due, so a late answer delays nothing else.
"""

from __future__ import annotations

import heapq
import select
import socket
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hardware_sim.acquirer_folder import AcquirerFolder
from terminal.errors import ConfigError, HostGarbled
from terminal.iso8583.framing import Deframer, Framing, frame

CONNECTIONS_MAX = 128
IO_TIMEOUT_S = 10.0
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a connection does about one message: answers with their delays, then perhaps its end.

    Each answer is (delay in milliseconds, message).
    """

    answers: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)
    close: bool = False


Handle = Callable[[bytes], Reply]


def _bound(port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Without this, a restart would wait for the old connections' TIME_WAIT.
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((_LOOPBACK, port))
    except OSError:
        door.close()
        raise
    return door


class AcquirerServer:
    """Listens on 127.0.0.1. ``admit`` and ``refuse`` open and shut the door on the same port.

    Args:
        folder: where the certificates are.
        handle: makes the reply to one message; called from many threads.
        framing: how lengths are written.
        port: 0 for any.
        wish: the port to take if it is free, when ``port`` is 0.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(
        self,
        folder: AcquirerFolder,
        handle: Handle,
        *,
        framing: Framing,
        port: int = 0,
        wish: int = 0,
    ) -> None:
        self._folder = folder
        self._handle = handle
        self._framing = framing
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._context = self._tls(mutual=False)
        self._door = self._first_door(port, wish)
        self._accepting: threading.Thread | None = None
        self.port = int(self._door.getsockname()[1])

    def _first_door(self, port: int, wish: int) -> socket.socket:
        if port == 0 and wish:
            try:
                return _bound(wish)
            except OSError:
                # The port of the last run belongs to someone else now: any other will do.
                return _bound(0)
        try:
            return _bound(port)
        except (OSError, OverflowError) as cause:
            raise ConfigError(
                f"The simulated acquirer cannot listen on port {port} ({cause}).",
                remedy="Choose another port, or 0 for any.",
            ) from cause

    def _tls(self, *, mutual: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._folder.server_certificate_file, self._folder.server_key_file)
        context.load_verify_locations(self._folder.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_OPTIONAL
        return context

    def demand_certificate(self, *, mutual: bool) -> None:
        """Whether connections from now on must show the till's certificate."""
        self._context = self._tls(mutual=mutual)

    def admit(self) -> None:
        """Lets connections in. Harmless when they are let in already."""
        if self._accepting is not None:
            return
        self._door.listen(64)
        self._accepting = threading.Thread(
            target=self._accept, args=(self._door,), name="acquirer-accept", daemon=True
        )
        self._accepting.start()

    def refuse(self) -> None:
        """Closes every connection and refuses new ones, keeping the port."""
        self._shut()
        # Bound and not listening: the port stays ours, and the kernel refuses for us.
        self._door = _bound(self.port)

    def close(self) -> None:
        """Closes every connection and gives the port back. Harmless when called twice."""
        self._shut()

    def _shut(self) -> None:
        if self._accepting is not None:
            # Closing alone does not wake a thread that waits in accept.
            _end(self._door)
            self._accepting.join(IO_TIMEOUT_S)
            self._accepting = None
        self._door.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _end(connection)
        deadline = time.monotonic() + IO_TIMEOUT_S
        while self._connections and time.monotonic() < deadline:
            time.sleep(0.002)

    def _accept(self, door: socket.socket) -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            with self._lock:
                room = len(self._connections) < CONNECTIONS_MAX
                if room:
                    self._connections.add(connection)
            if not room:
                connection.close()
                continue
            threading.Thread(
                target=self._serve, args=(connection,), name="acquirer-connection", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(IO_TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The raw socket stays in hand, so that ``refuse`` can end it from its own thread.
            with self._context.wrap_socket(connection.dup(), server_side=True) as tls:
                _converse(tls, self._framing, self._handle)
        except (OSError, HostGarbled):
            # A client that vanished, spoke no TLS, or framed nonsense: its connection ends.
            pass
        except Exception as fault:  # noqa: BLE001 - the top of a thread: one client's message must not end the host
            where = traceback.extract_tb(fault.__traceback__)[-1]
            # The text of the exception could quote card data; its type and place cannot.
            sys.stderr.write(
                f"internal fault {type(fault).__name__} at {where.filename}:{where.lineno}\n"
            )
            sys.stderr.flush()
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()


def _end(connection: socket.socket) -> None:
    # It may have ended by itself.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _converse(tls: ssl.SSLSocket, framing: Framing, handle: Handle) -> None:
    """Reads frames and sends the answers as they fall due, until either side ends."""
    deframer = Deframer(framing)
    readable = select.poll()
    readable.register(tls, select.POLLIN)
    due: list[tuple[float, int, bytes]] = []
    count = 0
    while True:
        wait_ms: float | None = None
        if due:
            wait_ms = max(0.0, (due[0][0] - time.monotonic()) * 1000)
        if tls.pending() or readable.poll(wait_ms):
            received = tls.recv(4096)
            if not received:
                return
            for message in deframer.feed(received):
                reply = handle(message)
                for delay_ms, answer in reply.answers:
                    count += 1
                    heapq.heappush(due, (time.monotonic() + delay_ms / 1000, count, answer))
                if reply.close:
                    return
        while due and due[0][0] <= time.monotonic():
            tls.sendall(frame(framing, heapq.heappop(due)[2]))
