"""A real TLS server on loopback that plays a script, and the certificates for it."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from terminal.iso8583.framing import Deframer, Framing, frame

PATIENCE_S = 20.0  # How long a broken test may hang before it fails.


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = generate_private_key(SECP256R1())
        own = (
            self._builder(self._name, self._key, -1, 10)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def _builder(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, first_day: int, last_day: int
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=first_day))
            .not_valid_after(now + timedelta(days=last_day))
        )

    def issue(
        self,
        name: str,
        *,
        names: tuple[x509.GeneralName, ...] = (),
        last_day: int = 5,
        password: bytes = b"",
    ) -> Identity:
        """A certificate that is valid from five days ago to ``last_day`` days from now."""
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key, -5, last_day)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        identity = Identity(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        certificate = builder.sign(self._key, SHA256())
        identity.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        lock: KeySerializationEncryption = (
            BestAvailableEncryption(password) if password else NoEncryption()
        )
        identity.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        return identity


LOOPBACK = (x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost"))


class Pki:
    """Every certificate that the tests ask for, right and wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = Authority(folder, "ca")
        self.other_ca = Authority(folder, "other-ca")
        self.server = self.ca.issue("server", names=LOOPBACK)
        self.expired = self.ca.issue("expired", names=LOOPBACK, last_day=-1)
        self.misnamed = self.ca.issue("misnamed", names=(x509.DNSName("host.example"),))
        self.nameless = self.ca.issue("nameless")
        self.strange = self.other_ca.issue("strange", names=LOOPBACK)
        self.till = self.ca.issue("till")
        self.strange_till = self.other_ca.issue("strange-till")
        self.locked = self.ca.issue("locked", password=b"sesame")
        self.sealing_key = folder / "sealing.pem"
        self.sealing_key.write_bytes(
            X25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def server_context(
        self,
        identity: Identity,
        *,
        clients: Authority | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
        context.maximum_version = newest
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        return context


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self._deframer = Deframer(server.framing)
        self._waiting: list[bytes] = []

    def receive(self) -> bytes:
        """The next message, also noted by the server.

        Raises:
            ConnectionError: there is none, the till has gone.
        """
        while not self._waiting:
            data = self._sock.recv(4096)
            if not data:
                raise ConnectionResetError
            self._waiting += self._deframer.feed(data)
        self._server.received.append(self._waiting[0])
        return self._waiting.pop(0)

    def read_one_byte(self) -> None:
        data = self._sock.recv(1)
        if not data:
            raise ConnectionResetError
        self._server.received.append(data)

    def send(self, *messages: bytes) -> None:
        self.raw(b"".join(frame(self._server.framing, message) for message in messages))

    def raw(self, data: bytes) -> None:
        self._sock.sendall(data)

    def under_tls(self, data: bytes) -> None:
        """Writes past TLS, as somebody on the wire might."""
        raw = socket.socket(fileno=socket.dup(self._sock.fileno()))
        with raw:
            raw.sendall(data)

    def say_goodbye(self) -> None:
        """Ends TLS properly (close_notify) and closes."""
        self._sock.setblocking(False)
        with suppress(OSError):
            assert isinstance(self._sock, ssl.SSLSocket)
            self._sock.unwrap()
        self._sock.close()

    def hang_up(self) -> None:
        """Closes without a word."""
        self._sock.close()

    def reset(self) -> None:
        """Closes with a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


Script = Callable[[Peer], None]


class Server:
    """Listens on loopback and plays one script per connection, the last one again and again.

    Without a context it speaks no TLS. ``received`` are the messages that scripts have read,
    ``refused`` counts handshakes that failed.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None,
        *scripts: Script,
        framing: Framing = Framing.LEN2,
    ) -> None:
        self.framing = framing
        self.received: list[bytes] = []
        self.connections = 0
        self.refused = 0
        self._context = context
        self._scripts = list(scripts)
        self._failures: list[BaseException] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen)]

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_listening()
        for sock in self._open:
            with suppress(OSError):
                # Past TLS: ssl's own shutdown drops its state first, and a script that still
                # reads would be handed the till's last record as if it were plain text.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        for failure in self._failures:
            raise failure

    def stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE_S)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            sock.settimeout(PATIENCE_S)
            thread = threading.Thread(target=self._serve, args=(sock, script))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
        except OSError:
            self.refused += 1
            sock.close()
            return
        self._open.append(sock)
        try:
            script(Peer(self, sock))
        except OSError:
            pass  # The till has gone, or the test is over.
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread.
            self._failures.append(failure)
        finally:
            sock.close()
