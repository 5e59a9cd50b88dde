"""A ``Reader`` on top of an nfcpy device, whichever device that is.

Rules of this file: nfcpy's ``Device`` is used, not its frontend, for that one polls without end.
One disturbance on the line is forgiven; a device that then stays silent is unplugged, and looked
for again the next time a card is waited for.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import nfc.clf
import nfc.tag

from drivers.nfcpy_field import DEVICE_ERRORS, Field, foreign_name
from drivers.nfcpy_iso_dep import IsoDep, NotActivated
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged
from terminal.ports import ForeignTag, Presented, SeveralCards, Unreadable

_PAUSE_S = 0.02
_ACTIVATION_ATTEMPTS = 3
_REMEDY = "Check its cable, then wait a moment."


class NfcpyReader:
    """A reader behind an nfcpy device.

    Args:
        name: for a person.
        connect: opens the device; called again after the reader was unplugged.

    Raises:
        ReaderNotFound: from ``connect``.
    """

    def __init__(self, name: str, connect: Callable[[], Any]) -> None:
        self._name = name
        self._connect = connect
        self._field: Field | None = Field(connect())
        self._card: _Card | None = None

    @property
    def name(self) -> str:
        """The reader's name for a person."""
        return self._name

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """As ``Reader`` has it; a reader that was unplugged is looked for until the time is up."""
        self.release()
        deadline = time.monotonic() + timeout_s
        while not cancelled():
            field = self._field_or_reconnect()
            presented = None
            if field is not None:
                with self._watched():
                    presented = self._poll(field)
            if presented is not None:
                return presented
            if time.monotonic() >= deadline:
                if field is None:
                    raise self._unplugged()
                return None
            time.sleep(min(_PAUSE_S, max(0.0, deadline - time.monotonic())))
        return None

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """As ``Reader`` has it. Drops the card in hand: a card shows itself to polling only."""
        self.release()
        deadline = time.monotonic() + timeout_s
        empty_looks = 0
        while not cancelled():
            if self._field is None:
                raise self._unplugged()
            with self._watched():
                self._field.reset()
                empty_looks = empty_looks + 1 if self._field.look().empty else 0
                self._field.off()
            if empty_looks == 2:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_S)
        return False

    def release(self) -> None:
        """Drops the card in hand and the field."""
        if self._card is not None:
            self._card.drop()
            self._card = None
        if self._field is not None:
            # A reader that is gone has no field either; the next wait says that it is gone.
            with contextlib.suppress(*DEVICE_ERRORS):
                self._field.off()

    def close(self) -> None:
        """Gives the device back."""
        self.release()
        field, self._field = self._field, None
        self._connect = _closed
        if field is not None:
            field.close()

    def _field_or_reconnect(self) -> Field | None:
        if self._field is None:
            with contextlib.suppress(ReaderNotFound):
                self._field = Field(self._connect())
        return self._field

    def _unplugged(self) -> ReaderUnplugged:
        return ReaderUnplugged(f"The reader {self._name} no longer answers.", remedy=_REMEDY)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Forgives one disturbance on the line, if the device answers afterwards.

        Raises:
            ReaderUnplugged: it does not.
        """
        try:
            yield
        except DEVICE_ERRORS:
            if not self.survives():
                raise self._unplugged() from None

    def survives(self) -> bool:
        """Whether the device still answers after an error; its field is off then."""
        if self._field is None:
            return False
        try:
            self._field.off()
        except DEVICE_ERRORS:
            self._field.abandon()
            self._field = None
            return False
        return True

    def _poll(self, field: Field) -> Presented | None:
        sight = field.look()
        if sight.cards > 1:
            return SeveralCards()
        if sight.foreign:
            return ForeignTag(sight.foreign)
        if not sight.cards:
            return None
        reason = ""
        for _ in range(_ACTIVATION_ATTEMPTS):
            field.reset()
            target = field.sense(sight.brty)
            if target is None:
                continue
            if (name := foreign_name(target)) is not None:
                return ForeignTag(name)
            try:
                self._card = _Card(self, IsoDep(field.device, target))
            except NotActivated as why:
                reason = str(why)
            else:
                return self._card
        return Unreadable(reason) if reason else None


def _closed() -> Any:
    raise ReaderNotFound("The reader has been closed.")


class _Card:
    """The card in hand, until it is lost or released."""

    def __init__(self, reader: NfcpyReader, iso_dep: IsoDep) -> None:
        self._reader = reader
        self._iso_dep: IsoDep | None = iso_dep
        self.technology = iso_dep.technology

    def drop(self) -> None:
        """The card is no longer ours."""
        self._iso_dep = None

    def exchange(self, command: bytes) -> bytes:
        """Sends one C-APDU, returns the R-APDU."""
        if self._iso_dep is None:
            raise CardLost("The card is no longer in the field.", remedy="Present it again.")
        try:
            return self._iso_dep.exchange(command)
        except (nfc.clf.CommunicationError, nfc.tag.TagCommandError):
            self.drop()
            raise CardLost("The card stopped answering.", remedy="Present it again.") from None
        except DEVICE_ERRORS:
            self.drop()
            if self._reader.survives():
                raise CardLost(
                    "The line to the reader was disturbed.", remedy="Present the card again."
                ) from None
            raise ReaderUnplugged(
                f"The reader {self._reader.name} no longer answers.", remedy=_REMEDY
            ) from None
