"""A simulated field at a distance: cards in one process, the till's reader in another.

Rules of this file: the cards stay where the bench is, so that a till that is killed and started
again meets the same cards with the counters they had. One line of JSON asks and one answers, over
a socket in a folder that only its owner may enter. A till opens its end as ``sim:?at=SOCKET``.
Commands and answers cross in the clear: these are simulated cards.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hardware_sim.faults import CardMute
from hardware_sim.field import Field, SimulatedReader
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged
from terminal.ports import Card, ForeignTag, Presented, SeveralCards, Unreadable

_SLICE_S = 0.05
"""How long one request waits at most: a till that is cancelled asks again no sooner."""


class FieldServer:
    """Lets tills in other processes read what lies in a field.

    Args:
        field: what lies there.
        path: the socket; made here, and gone after ``close``.
        name: the reader's name for a person.
    """

    def __init__(self, field: Field, path: Path, name: str = "Simulated reader") -> None:
        self.path = path
        self._field = field
        self._name = name
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        self._links: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="field", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address under which a till opens it."""
        return f"sim:?at={self.path}"

    def close(self) -> None:
        """Ends every link."""
        # Shutting wakes the thread that waits in accept; closing alone would not.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        with self._lock:
            links = list(self._links)
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._links.add(link)
            threading.Thread(
                target=self._serve, args=(link,), name="field link", daemon=True
            ).start()

    def _serve(self, link: socket.socket) -> None:
        desk = _Desk(SimulatedReader(self._field, self._name))
        try:
            with link, link.makefile("rb") as lines, suppress(OSError):
                for line in lines:
                    link.sendall(json.dumps(desk.answer(json.loads(line))).encode() + b"\n")
        finally:
            desk.close()
            with self._lock:
                self._links.discard(link)


class _Desk:
    """One till's end of the link: what it asks becomes calls of a reader."""

    def __init__(self, reader: SimulatedReader) -> None:
        self._reader = reader
        self._card: Card | None = None

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._done(request)
        except CardMute as mute:
            return {"mute": mute.message}
        except CardLost as lost:
            return {"lost": lost.message}
        except ReaderUnplugged as gone:
            return {"unplugged": gone.message}

    def _done(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request:
            case {"wait_s": wait_s}:
                found = self._reader.wait_for_card(timeout_s=wait_s, cancelled=lambda: False)
                return self._presented(found)
            case {"removal_s": wait_s}:
                gone = self._reader.wait_for_removal(timeout_s=wait_s, cancelled=lambda: False)
                return {"gone": gone}
            case {"command": command} if self._card is not None:
                return {"answer": self._card.exchange(bytes.fromhex(command)).hex()}
            case {"command": _}:
                raise CardLost("There is no card in hand.")
            case _:
                self._reader.release()
                self._card = None
                return {}

    def _presented(self, found: Presented | None) -> dict[str, Any]:
        match found:
            case None:
                return {}
            case SeveralCards():
                return {"several": True}
            case ForeignTag(technology=technology):
                return {"foreign": technology}
            case Unreadable(reason=reason):
                return {"unreadable": reason}
            case _:
                self._card = found
                return {"card": found.technology}

    def close(self) -> None:
        self._reader.close()


class _FarCard:
    """A ``terminal.ports.Card`` at the other end."""

    def __init__(self, reader: FarReader, technology: str) -> None:
        self._reader = reader
        self._technology = technology

    @property
    def technology(self) -> str:
        return self._technology

    def exchange(self, command: bytes) -> bytes:
        return bytes.fromhex(self._reader.ask(command=command.hex())["answer"])


class FarReader:
    """A ``terminal.ports.Reader`` whose field is in another process.

    Raises:
        ReaderNotFound: nobody serves a field there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as cause:
            self._socket.close()
            raise ReaderNotFound(
                f"No simulated field is served at {path} ({cause.strerror}).",
                remedy="Start one with: taptill sim bench",
            ) from cause
        self._lines = self._socket.makefile("rb")

    @property
    def name(self) -> str:
        """Its name for a person."""
        return "Simulated reader"

    def ask(self, **request: object) -> dict[str, Any]:
        """One request and its answer.

        Raises:
            CardLost: the card has left, or is silent.
            ReaderUnplugged: the reader has gone away.
        """
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._lines.readline()
        except (OSError, ValueError) as cause:
            raise _unplugged(f"The simulated field at {self._path} has gone away.") from cause
        if not line:
            raise _unplugged(f"The simulated field at {self._path} has gone away.")
        answer: dict[str, Any] = json.loads(line)
        match answer:
            case {"lost": message} | {"mute": message}:
                raise CardLost(message)
            case {"unplugged": message}:
                raise _unplugged(message)
        return answer

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """See ``terminal.ports.Reader``."""
        deadline = time.monotonic() + timeout_s
        while not cancelled():
            left_s = max(0.0, deadline - time.monotonic())
            match self.ask(wait_s=min(_SLICE_S, left_s)):
                case {"card": technology}:
                    return _FarCard(self, technology)
                case {"several": _}:
                    return SeveralCards()
                case {"foreign": technology}:
                    return ForeignTag(technology)
                case {"unreadable": reason}:
                    return Unreadable(reason)
            if not left_s:
                return None
        return None

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """See ``terminal.ports.Reader``."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            if self.ask(removal_s=min(_SLICE_S, left_s))["gone"]:
                return True
            if not left_s or cancelled():
                return False

    def release(self) -> None:
        """See ``terminal.ports.Reader``."""
        # A field that has gone away has let go already.
        with suppress(ReaderUnplugged):
            self.ask(release=True)

    def close(self) -> None:
        """See ``terminal.ports.Reader``."""
        self._lines.close()
        self._socket.close()


def _unplugged(message: str) -> ReaderUnplugged:
    return ReaderUnplugged(message, remedy="Plug it in again.")
