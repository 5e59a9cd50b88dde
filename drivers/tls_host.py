"""A host that speaks framed messages over TCP and TLS, with one deadline for all of it.

Rules of this file: one deadline covers connecting, handshake, sending and waiting, and is looked
at between any two reads, so a host that sends slowly gains no time. Until the first byte of a
message is handed to TLS, every failure is ``HostUnreachable``; from then on never again. After
a message without its answer the connection is dropped, so that a late answer has nothing to
arrive on. Errors name the host and never hold bytes.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

from terminal.errors import HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.iso8583.framing import Deframer, Framing, frame

_RECEIVE_BYTES = 16_384  # A TLS record holds no more.
_SETTLE_S = 0.25  # For a host that is slow to look at a certificate; paid once per connection.
_DRAIN_READS = 64  # A megabyte that nobody asked for is no late answer.

T = TypeVar("T")


class TlsHost:
    """One connection to a host, made when it is needed and kept between messages.

    Owned by one thread. Times are in seconds. ``address`` is a name or an IP address, and the
    host's certificate must be for it. Looking up a name is the one step whose time the system
    decides (its resolver's time-out); an IP address needs none.
    """

    def __init__(
        self,
        address: str,
        port: int,
        context: ssl.SSLContext,
        *,
        framing: Framing,
        connect_timeout_s: float = 3.0,
    ) -> None:
        self._address = address
        self._port = port
        self._context = context
        self._framing = framing
        self._connect_timeout_s = connect_timeout_s
        self._connection: _Connection | None = None
        self._outstanding = 0

    @property
    def _name(self) -> str:
        return f"{self._address}:{self._port}"

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        """Sends one message and returns the first message for which ``is_answer`` holds.

        Raises:
            HostUnreachable: nothing left the socket.
            HostSilent: something left the socket, and no answer came in time.
            HostGarbled: the framing of what came back is broken.
        """
        deadline = time.monotonic() + timeout_s
        framed = frame(self._framing, request)
        connection = self._connected(deadline)
        self._outstanding = 0
        answered = False
        try:
            connection.send(framed, deadline)
            answer = next(filter(is_answer, connection.messages(deadline)))
            answered = True
        finally:
            if not answered:
                self.close()
        return answer

    def send(self, request: bytes, *, timeout_s: float) -> None:
        """Sends one message and waits for no answer. A failure ends the connection.

        Raises:
            HostUnreachable: nothing of it left the socket.
            HostSilent: some of it may have left the socket.
        """
        deadline = time.monotonic() + timeout_s
        framed = frame(self._framing, request)
        # With answers outstanding, a new connection would hide that they are lost.
        connection = self._connection if self._outstanding else None
        try:
            if connection is None:
                connection = self._connected(deadline)
            connection.send(framed, deadline)
        except HostError:
            self.close()
            raise
        self._outstanding += 1

    def receive(self, *, timeout_s: float) -> list[bytes]:
        """The messages that have come, waiting for the first; empty when the time is up.

        Raises:
            HostSilent: the connection has ended.
            HostGarbled: the framing of what came is broken; the connection is ended.
        """
        if self._connection is None:
            raise HostSilent(f"The connection to {self._name} has ended.")
        try:
            came = self._connection.receive(time.monotonic() + timeout_s)
        except HostError:
            self.close()
            raise
        self._outstanding = max(0, self._outstanding - len(came))
        return came

    def close(self) -> None:
        """Ends the connection. Harmless when called twice."""
        self._outstanding = 0
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self, deadline: float) -> _Connection:
        """The connection in hand if it is alive, and otherwise a new one."""
        if self._connection is not None and not self._connection.alive():
            self.close()
        if self._connection is None:
            limit = min(deadline, time.monotonic() + self._connect_timeout_s)
            self._connection = self._connect(limit)
        return self._connection

    def _connect(self, deadline: float) -> _Connection:
        raw = self._dial(deadline)
        try:
            sock = self._context.wrap_socket(
                raw, server_hostname=self._address, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as cause:
            raw.close()
            raise HostUnreachable(f"{self._name}: TLS cannot start: {cause}.") from cause
        connection = _Connection(sock, Deframer(self._framing), self._name)
        try:
            started = time.monotonic()
            connection.handshake(deadline)
            now = time.monotonic()
            # The host's refusal takes one round trip, and the handshake took at least that.
            connection.settle(min(deadline, now + 2 * (now - started) + _SETTLE_S))
        except HostUnreachable:
            connection.close()
            raise
        return connection

    def _dial(self, deadline: float) -> socket.socket:
        """A TCP connection to the first address of the host that takes one."""
        try:
            found = socket.getaddrinfo(self._address, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as cause:
            raise HostUnreachable(
                f"The name {self._address} cannot be found.",
                remedy="Check the network and the acquirer's address.",
            ) from cause
        reason = "no time was left"
        for family, kind, protocol, _, address in found:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            try:
                raw = socket.socket(family, kind, protocol)
            except OSError as cause:
                # A kernel without IPv6 may still be told of an IPv6 address.
                reason = str(cause.strerror or cause)
                continue
            try:
                raw.settimeout(left_s)
                raw.connect(address)
                raw.setblocking(False)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _keep_alive(raw)
            except OSError as cause:
                raw.close()
                reason = str(cause.strerror or cause)
            else:
                return raw
        raise HostUnreachable(
            f"{self._name} cannot be reached: {reason}.",
            remedy="Check the network and the acquirer's address.",
        )


class _Connection:
    """A TLS connection on a non-blocking socket, with a deadline for every step."""

    def __init__(self, sock: ssl.SSLSocket, deframer: Deframer, name: str) -> None:
        self._sock = sock
        self._deframer = deframer
        self._name = name

    def handshake(self, deadline: float) -> None:
        """Shakes hands, which checks the host's certificate and name.

        Raises:
            HostUnreachable: the certificate is not right, or no handshake came about.
        """
        try:
            self._retrying(self._sock.do_handshake, deadline)
        except ssl.SSLCertVerificationError as cause:
            raise HostUnreachable(
                f"The certificate of {self._name} is refused: {cause.verify_message.rstrip('.')}.",
                remedy="Check the CA file, the host's name and the till's clock.",
            ) from cause
        except TimeoutError as cause:
            raise HostUnreachable(f"{self._name} does not finish the TLS handshake.") from cause
        except OSError as cause:
            raise self._refused(cause) from cause

    def settle(self, deadline: float) -> None:
        """Waits a moment for a host that refuses our certificate only after the handshake.

        In TLS 1.3 the client has finished before the host has seen its certificate (RFC 8446,
        2). A refusal that is seen now is a sale that can be deferred; seen after the message
        was sent, it would be one to reverse. The first record from the host ends the wait.

        Raises:
            HostUnreachable: the host refuses us.
        """
        if self._sock.version() != "TLSv1.3":
            return
        if self._wait(select.POLLIN, deadline) and (fault := self._drain()) is not None:
            raise self._refused(fault)

    def _refused(self, cause: OSError) -> HostUnreachable:
        reason = getattr(cause, "reason", None) or cause.strerror or "connection closed"
        return HostUnreachable(
            f"{self._name} refuses the TLS connection: {reason}.",
            remedy="Check the till's certificate and key, and the acquirer's port.",
        )

    def alive(self) -> bool:
        """Whether the connection still stands, as far as can be seen without sending.

        Writing to a connection that the host has closed succeeds, so this must be asked first.
        Whole messages that have come meanwhile are copies or late answers, and are dropped.
        """
        return self._drain() is None and self._deframer.pending_bytes == 0

    def _drain(self) -> OSError | None:
        """Takes in what has come without being asked for; says why no more can come."""
        try:
            for _ in range(_DRAIN_READS):
                data = self._sock.recv(_RECEIVE_BYTES)
                if not data:
                    return ConnectionResetError("connection closed")
                self._deframer.feed(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except HostGarbled:
            return OSError("the host sent what is no message")
        except OSError as cause:
            return cause
        return OSError("the host sends without end")

    def send(self, data: bytes, deadline: float) -> None:
        """Sends all of ``data``.

        Raises:
            HostUnreachable: there was no time left to begin.
            HostSilent: some of it may have left.
        """
        if time.monotonic() >= deadline:
            raise HostUnreachable(f"No time was left to send anything to {self._name}.")
        with self._no_answer():
            while data:
                data = data[self._retrying(partial(self._sock.send, data), deadline) :]

    def messages(self, deadline: float) -> Iterator[bytes]:
        """Whole messages as they arrive; it ends by raising.

        Raises:
            HostSilent: no more came in time, or the host closed the connection.
            HostGarbled: the stream broke off inside a message, or its framing is broken.
        """
        while True:
            with self._no_answer():
                data = self._retrying(partial(self._sock.recv, _RECEIVE_BYTES), deadline)
            if not data:
                if self._deframer.pending_bytes:
                    raise HostGarbled(f"{self._name} closed the connection inside a message.")
                raise HostSilent(f"{self._name} closed the connection without an answer.")
            yield from self._deframer.feed(data)

    def receive(self, deadline: float) -> list[bytes]:
        """The messages that have come; waits for the first until the deadline.

        Raises:
            HostSilent: the host closed the connection, or it broke.
            HostGarbled: the stream is no sequence of messages.
        """
        came: list[bytes] = []
        while not came:
            try:
                with self._no_answer():
                    data = self._retrying(partial(self._sock.recv, _RECEIVE_BYTES), deadline)
            except HostSilent as silent:
                if isinstance(silent.__cause__, TimeoutError):
                    return came
                raise
            if not data:
                raise HostSilent(f"{self._name} closed the connection.")
            came = self._deframer.feed(data)
        # What else is there already belongs to the same look; a failure shows at the next one.
        with suppress(OSError, HostGarbled):
            for _ in range(_DRAIN_READS):
                if not (data := self._sock.recv(_RECEIVE_BYTES)):
                    break
                came += self._deframer.feed(data)
        return came

    @contextmanager
    def _no_answer(self) -> Iterator[None]:
        """Names what can go wrong once a byte may have left."""
        try:
            yield
        except TimeoutError as cause:
            raise HostSilent(f"{self._name} did not answer in time.") from cause
        except OSError as cause:
            failure: type[HostError] = HostSilent
            reason = cause.strerror or "connection lost"
            if isinstance(cause, ssl.SSLError) and not isinstance(
                cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
            ):
                failure, reason = HostGarbled, f"TLS failed ({cause.reason})"
            raise failure(f"{self._name} gave no answer: {reason}.") from cause

    def _retrying(self, step: Callable[[], T], deadline: float) -> T:
        """Does one step of TLS, waiting for the socket as often as it asks.

        Raises:
            TimeoutError: the deadline has passed.
            OSError: the step failed.
        """
        while time.monotonic() < deadline:
            try:
                return step()
            except ssl.SSLWantReadError:
                event = select.POLLIN
            except ssl.SSLWantWriteError:
                event = select.POLLOUT
            self._wait(event, deadline)
        raise TimeoutError

    def _wait(self, event: int, deadline: float) -> bool:
        """Waits until the socket is ready; False when the time is up."""
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return False
        poll = select.poll()
        poll.register(self._sock, event)
        return bool(poll.poll(left_s * 1000))

    def close(self) -> None:
        """Says goodbye and closes; a host that is slow to answer the goodbye is not waited for."""
        with suppress(OSError, ValueError):
            self._sock.unwrap()
        self._sock.close()


def _keep_alive(sock: socket.socket) -> None:
    """Has the system probe an idle connection, so that one lost on the way is found dead.

    A router that forgets a connection says nothing; without probes, the next sale would be
    written into it and have to be reversed.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
