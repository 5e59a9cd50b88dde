"""PC/SC readers (``pcsc:``) through pyscard and ``pcscd``: ACR122, ACR1252, and their like.

Rules of this file: the low-level interface of pyscard only, since its observers bring threads of
their own; no wait inside the library is longer than 100 ms, so that a cancel is prompt; an error
is told by its code, and never shows what was said to or by a card.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote

from smartcard import scard

from drivers.registry import FoundReader
from drivers.storage_cards import storage_card_technology
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged
from terminal.ports import ForeignTag, Presented, Unreadable

_SLICE_S = 0.1
# A card can refuse because it has just left or another program looks at it: only a refusal that
# lasts is worth a word to the customer.
_REFUSED_S = 1.0
# The daemon looks for cards every 400 ms (pcsc-lite, PCSCLITE_STATUS_POLL_RATE) where the
# reader's driver does not tell it of changes.
_NOTICED_S = 0.5

_NO_SERVICE = frozenset({scard.SCARD_E_NO_SERVICE, scard.SCARD_E_SERVICE_STOPPED})
_READER_GONE = _NO_SERVICE | {
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_UNKNOWN_READER,
    scard.SCARD_E_NO_READERS_AVAILABLE,
    scard.SCARD_E_INVALID_HANDLE,
}
_AWAY = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE

_CONTACTLESS = re.compile(
    r"PICC|NFC|RFID|contactless|Virtual PCD|ACR12[25]|\bCL\b|[0-9]CL\b|SCL0", re.IGNORECASE
)
_SAM = re.compile(r"\bSAM\b", re.IGNORECASE)

_START_PCSCD = (
    "Start it: sudo systemctl start pcscd. If it is not installed: sudo apt install pcscd."
)


def discover() -> list[FoundReader]:
    """The PC/SC readers that are attached now.

    Raises:
        ReaderNotFound: ``pcscd`` does not run.
    """
    context = _establish()
    try:
        names = _list(context)
    finally:
        scard.SCardReleaseContext(context)
    return [FoundReader(f"pcsc:{name}", name, "pcsc", _note(name)) for name in names]


def open_reader(url: str) -> PcscReader:
    """Opens ``pcsc:`` (the first contactless reader) or ``pcsc:PART OF ITS NAME``.

    Raises:
        ReaderNotFound: ``pcscd`` does not run, or no reader, or more than one, has that name.
    """
    wanted = unquote(url.partition(":")[2]).strip()
    context = _establish()
    try:
        name = _choose(wanted, _list(context))
    except ReaderNotFound:
        scard.SCardReleaseContext(context)
        raise
    return PcscReader(name, wanted, context)


class PcscReader:
    """A reader behind ``pcscd``, found again by name when either has been away.

    After a ``ReaderUnplugged`` the next ``wait_for_card`` looks for the reader until its time is
    up; a card that is then presented is taken as if nothing had happened.
    """

    def __init__(self, name: str, wanted: str, context: Any) -> None:
        self.name = name
        self._wanted = wanted
        self._context: Any = context
        self._state = scard.SCARD_STATE_UNAWARE
        self._atr = b""
        self._card: _PcscCard | None = None
        self._lost: tuple[int, float] | None = None
        self._closed = False

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """See ``terminal.ports.Reader``."""
        self.release()
        self._state = scard.SCARD_STATE_UNAWARE
        deadline = time.monotonic() + timeout_s
        refused_at: float | None = None
        while not cancelled():
            left = deadline - time.monotonic()
            flags = self._look(max(0.0, min(left, _SLICE_S)))
            if flags is not None and self._is_there(flags):
                presented = self._take_up(flags)
                if not isinstance(presented, Unreadable):
                    return presented
                refused_at = refused_at or time.monotonic()
                if time.monotonic() - refused_at >= _REFUSED_S:
                    return presented
            else:
                refused_at = None
            if left <= 0 and flags is None:
                raise self._unplugged()
            if left <= 0:
                return None
        return None

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """See ``terminal.ports.Reader``."""
        self.release()
        self._state = scard.SCARD_STATE_UNAWARE
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            flags = self._look(max(0.0, min(left, _SLICE_S)))
            if flags is None:
                raise self._unplugged()
            if not flags & scard.SCARD_STATE_PRESENT:
                return True
            if left <= 0 or cancelled():
                return False

    def release(self) -> None:
        """See ``terminal.ports.Reader``. The card loses power and with it the state it was in."""
        card, self._card = self._card, None
        if card is not None:
            card.disconnect()

    def close(self) -> None:
        """See ``terminal.ports.Reader``."""
        self.release()
        self._drop_context()
        self._closed = True

    def lose_card(self) -> None:
        """Notes that the card in hand was lost, until the daemon has noticed it too."""
        self._card = None
        self._lost = (self._state >> 16, time.monotonic())

    def has_gone(self, code: int) -> bool:
        """Whether a call that failed with ``code`` failed because the reader is away."""
        if code not in _READER_GONE and self._context is not None:
            # The card's errors and the reader's overlap: asking for the state tells them apart.
            code, states = scard.SCardGetStatusChange(
                self._context, 0, [(self.name, scard.SCARD_STATE_UNAWARE)]
            )
            return code in _READER_GONE or bool(states[0][1] & _AWAY)
        return True

    def unplug(self) -> NoReturn:
        """Notes that the reader has gone.

        Raises:
            ReaderUnplugged: always.
        """
        self._drop_context()
        raise self._unplugged()

    def _look(self, wait_s: float) -> int | None:
        """The slot's state, as soon as it changes or ``wait_s`` have passed.

        None while the reader is away; that it goes away is a ``ReaderUnplugged``.
        """
        if self._context is None and not self._attach():
            time.sleep(wait_s)
            return None
        code, states = scard.SCardGetStatusChange(
            self._context, int(wait_s * 1000), [(self.name, self._state)]
        )
        flags: int = states[0][1]
        if code not in {scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT} or flags & _AWAY:
            self.unplug()
        self._state = flags & ~scard.SCARD_STATE_CHANGED
        self._atr = bytes(states[0][2])
        return flags

    def _is_there(self, flags: int) -> bool:
        """Whether a card is there, and not just one that was lost and is still listed."""
        if not flags & scard.SCARD_STATE_PRESENT:
            self._lost = None
            return False
        if self._lost is None:
            return True
        # The upper half counts insertions and removals.
        counter, since = self._lost
        if flags >> 16 != counter:
            self._lost = None
            return True
        return time.monotonic() - since >= _NOTICED_S

    def _take_up(self, flags: int) -> Presented:
        if flags & scard.SCARD_STATE_MUTE:
            return Unreadable("The card does not answer.")
        foreign = storage_card_technology(self._atr)
        if foreign is not None:
            return ForeignTag(foreign)
        code, handle, protocol = self._connect()
        if code == scard.SCARD_S_SUCCESS and self._lost is not None:
            # Lost and back before the daemon looked: it would go on without a power-up.
            self._lost = None
            scard.SCardDisconnect(handle, scard.SCARD_UNPOWER_CARD)
            code, handle, protocol = self._connect()
        if code == scard.SCARD_S_SUCCESS:
            self._card = _PcscCard(self, handle, protocol)
            return self._card
        if code in _READER_GONE:
            self.unplug()
        if code == scard.SCARD_E_SHARING_VIOLATION:
            return Unreadable("Another program is using the card.")
        return Unreadable("The card does not answer.")

    def _connect(self) -> tuple[int, Any, int]:
        # Exclusive: no other program may talk to a payment card while we do.
        code, handle, protocol = scard.SCardConnect(
            self._context,
            self.name,
            scard.SCARD_SHARE_EXCLUSIVE,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        return code, handle, protocol

    def _attach(self) -> bool:
        """Whether ``pcscd`` and the reader are there again."""
        if self._closed:
            return False
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code != scard.SCARD_S_SUCCESS:
            return False
        try:
            self.name = _choose(self._wanted, _list(context))
        except ReaderNotFound:
            scard.SCardReleaseContext(context)
            return False
        self._context = context
        self._state = scard.SCARD_STATE_UNAWARE
        self._lost = None
        return True

    def _drop_context(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            scard.SCardReleaseContext(context)

    def _unplugged(self) -> ReaderUnplugged:
        if self._closed:
            return ReaderUnplugged(f"The reader {self.name} has been closed.")
        return ReaderUnplugged(
            f"The reader {self.name} went away.",
            remedy="Check its cable. If it is plugged in, pcscd has stopped. " + _START_PCSCD,
        )


class _PcscCard:
    """A card in a PC/SC reader, connected until it is released or lost."""

    # The standard ATR of a contactless card does not tell type A from type B.
    technology = "ISO 14443-4"

    def __init__(self, reader: PcscReader, handle: Any, protocol: int) -> None:
        self._reader = reader
        self._handle: Any = handle
        self._protocol = protocol

    def exchange(self, command: bytes) -> bytes:
        """See ``terminal.ports.Card``."""
        if self._protocol != scard.SCARD_PROTOCOL_T0:
            return self._transmit(command)
        return _exchange_t0(self._transmit, command)

    def disconnect(self) -> None:
        """Takes the power from the card. Harmless when it has gone."""
        self._end(scard.SCARD_UNPOWER_CARD)

    def _transmit(self, command: bytes) -> bytes:
        if self._handle is None:
            raise CardLost("The card is no longer on the reader.")
        code, answer = scard.SCardTransmit(self._handle, self._protocol, list(command))
        if code == scard.SCARD_S_SUCCESS and len(answer) >= 2:
            return bytes(answer)
        # A success without a status word is how some readers report a card that has left.
        gone = self._reader.has_gone(code)
        # No power-down here: pcscd would then list the slot as empty behind the back of its own
        # polling, and not see a card that comes back before the next poll, however long it stays.
        self._end(scard.SCARD_LEAVE_CARD)
        self._reader.lose_card()
        if gone:
            self._reader.unplug()
        raise CardLost("The card left the reader in the middle of an exchange.")

    def _end(self, disposition: int) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            scard.SCardDisconnect(handle, disposition)


def _exchange_t0(transmit: Callable[[bytes], bytes], command: bytes) -> bytes:
    """Sends a short APDU over T=0, where the card's answer has to be fetched.

    ISO/IEC 7816-3, 12.2: a case 4 command goes without its Le; 61xx says that xx bytes can be
    fetched, 6Cxx that the command is to be sent again with that Le.
    """
    le_at = 5 + command[4] if len(command) > 5 else len(command)
    answer = transmit(command[:le_at])
    if len(answer) == 2 and answer[0] == 0x6C:
        answer = transmit(command[:4] + answer[1:])
    data = b""
    while len(answer) >= 2 and answer[-2] == 0x61 and len(data) + len(answer) <= 258:
        data += answer[:-2]
        answer = transmit(bytes((command[0] & 0x03, 0xC0, 0x00, 0x00)) + answer[-1:])
    return data + answer


def _establish() -> Any:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code in _NO_SERVICE:
        raise ReaderNotFound("The smart card service pcscd does not run.", remedy=_START_PCSCD)
    if code != scard.SCARD_S_SUCCESS:
        raise ReaderNotFound(f"pcscd refuses: {scard.SCardGetErrorMessage(code)}")
    return context


def _list(context: Any) -> list[str]:
    code, names = scard.SCardListReaders(context, [])
    return list(names) if code == scard.SCARD_S_SUCCESS else []


def _note(name: str) -> str:
    if _SAM.search(name):
        return "a slot for a security module"
    return "" if _CONTACTLESS.search(name) else "perhaps not a contactless reader"


def _choose(wanted: str, names: list[str]) -> str:
    """The one reader that is meant.

    Raises:
        ReaderNotFound: none, or more than one.
    """
    if wanted in names:
        return wanted
    attached = "Attached: " + ", ".join(names) + "." if names else "No PC/SC reader is attached."
    part = wanted.casefold()
    # A dual reader lists its slot for security modules beside the antenna, under the same name.
    matching = [name for name in names if part in name.casefold() and not _SAM.search(name)]
    contactless = [name for name in matching if _CONTACTLESS.search(name)]
    if not wanted and contactless:
        return contactless[0]
    if wanted and len(matching) == 1:
        return matching[0]
    if len(contactless) == 1:
        return contactless[0]
    if wanted and matching:
        raise ReaderNotFound(
            f"More than one PC/SC reader is named {wanted!r}.",
            remedy=f"{attached} Name one in full.",
        )
    what = f"No PC/SC reader is named {wanted!r}." if wanted else "No contactless reader is there."
    raise ReaderNotFound(what, remedy=attached)
