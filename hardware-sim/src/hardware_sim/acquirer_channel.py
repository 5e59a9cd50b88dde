"""The control channel of a running acquirer: lines of JSON over a socket in its folder.

Rules of this file: one request line, one answer line. A *lease* is a connection that a till
keeps open for as long as it uses the acquirer; when the last one ends, so does an acquirer that
was started for them. The kernel ends a killed till's lease, so none is ever left behind.

Requests: ``{"op": "lease" | "look" | "set" | "enrol" | "forget" | "restart" | "stop", ...}``;
answers: ``{"ok": true, ...}`` or ``{"ok": false, "error": TEXT}``.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from terminal.errors import TerminalError

SOCKET_NAME = "control.sock"
LINE_MAX_BYTES = 64_000
ANSWER_TIMEOUT_S = 10.0

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@contextmanager
def short_address(folder: Path) -> Iterator[str]:
    """The control socket's address, short however long the folder's path is.

    A Unix socket's path has at most 108 bytes, which a test's folder may well exceed; through
    the process's own descriptor (Linux) it is always short.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


class ControlChannel:
    """The acquirer's side. The caller holds the folder's lock.

    Args:
        folder: where the socket is made; one that an earlier process left is replaced.
        operations: what each ``op`` does; it raises ``TerminalError`` for a bad request.
        on_idle: called once, when the last lease has ended; None for an acquirer that stays.
    """

    def __init__(
        self, folder: Path, operations: Mapping[str, Operation], on_idle: Callable[[], None] | None
    ) -> None:
        self._folder = folder
        self._operations = operations
        self._on_idle = on_idle
        self._lock = threading.Lock()
        self._leases = 0
        self._ended = False
        self._idle = False
        self.ever_leased = threading.Event()
        (folder / SOCKET_NAME).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_address(folder) as address:
            self._socket.bind(address)

    def open(self) -> None:
        """Takes requests from now on. Not before: operations need what is made after this."""
        self._socket.listen(64)
        threading.Thread(target=self._accept, name="acquirer-control", daemon=True).start()

    @property
    def leases(self) -> int:
        """How many leases are held now."""
        return self._leases

    def close(self) -> None:
        """Takes no more requests. Harmless when called twice."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        (self._folder / SOCKET_NAME).unlink(missing_ok=True)
        # Closing alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), name="acquirer-control", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        leased = False
        try:
            with connection, connection.makefile("rwb") as lines:
                while line := lines.readline(LINE_MAX_BYTES):
                    answer, leases = self._answer(line, leased=leased)
                    leased = leased or leases
                    lines.write(json.dumps(answer).encode() + b"\n")
                    lines.flush()
        except OSError:
            # The other side is gone; a lease it had ends below.
            pass
        finally:
            if leased:
                self._release()

    def _answer(self, line: bytes, *, leased: bool) -> tuple[Mapping[str, Any], bool]:
        """The answer to one line, and whether the line has taken a lease."""
        try:
            request = json.loads(line)
            name = request["op"]
            operation = self._operations[name]
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": "This is no request that the acquirer knows."}, False
        takes = name == "lease" and not leased
        if takes and not self._take():
            return {"ok": False, "error": "The acquirer is ending."}, False
        try:
            return {"ok": True, **operation(request)}, takes
        except TerminalError as error:
            return {"ok": False, "error": str(error)}, takes
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": f"The request {name!r} lacks something."}, takes

    def _take(self) -> bool:
        with self._lock:
            if self._ended or self._idle:
                return False
            self._leases += 1
        self.ever_leased.set()
        return True

    def _release(self) -> None:
        with self._lock:
            self._leases -= 1
            # Said under the lock: nobody can be given a lease on an acquirer that is ending.
            self._idle = self._leases == 0 and self._on_idle is not None
        if self._idle and self._on_idle is not None:
            self._on_idle()


class ControlLink:
    """One connection to the control channel of the acquirer in ``folder``.

    Raises:
        OSError: no acquirer listens there.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        try:
            with short_address(folder) as address:
                self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rwb")

    def ask(self, op: str, **details: object) -> dict[str, Any]:
        """Sends one request and returns the answer.

        Raises:
            OSError: the acquirer is gone, or does not answer in time.
        """
        self._lines.write(json.dumps({"op": op, **details}).encode() + b"\n")
        self._lines.flush()
        line = self._lines.readline(LINE_MAX_BYTES)
        if not line:
            raise ConnectionResetError("the acquirer closed its control channel")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the connection, and the lease if it holds one. Harmless when called twice."""
        # What is still unsent concerns nobody now.
        with suppress(OSError):
            self._lines.close()
        self._socket.close()
