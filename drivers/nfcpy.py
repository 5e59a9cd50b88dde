"""Readers that nfcpy drives itself: a PN532 on a serial port, USB readers, and ``udp:``.

Rules of this file: nfcpy's ``Device`` is used, not its frontend, for that one polls without end.
Its loggers are shut, since they print every frame.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

try:
    import nfc.clf
    import nfc.clf.device
    import nfc.clf.transport
    import nfc.tag
    import serial.tools.list_ports
except OSError as cause:  # libusb1 loads its shared library at import, and says so as OSError.
    raise ImportError("libusb-1.0 is missing") from cause

from drivers import nfcpy_udp
from drivers.nfcpy_field import DEVICE_ERRORS, Field, foreign_name
from drivers.nfcpy_iso_dep import IsoDep, NotActivated
from drivers.nfcpy_uart import connect_pn532
from drivers.registry import FoundReader
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged
from terminal.ports import ForeignTag, Presented, SeveralCards, Unreadable

_log = logging.getLogger("nfc")
_log.addHandler(logging.NullHandler())
_log.propagate = False
_log.setLevel(logging.CRITICAL + 1)

_PAUSE_S = 0.02
_ACTIVATION_ATTEMPTS = 3
_REMEDY = "Check its cable, then wait a moment."

_USB = re.compile(r"usb(:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}|:[0-9]{1,3}:[0-9]{1,3})?")
_UDP = re.compile(r"udp:(?P<host>[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")
_TTY = re.compile(r"tty:(?P<path>[^:]+)(:pn532)?")


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


def _connect_udp(host: str, port: int) -> Any:
    try:
        return nfcpy_udp.Device(host, port)
    except OSError:
        raise ReaderNotFound(
            f"The host {host!r} of the reader is unknown.", remedy="Check the address."
        ) from None


def _connect_usb(path: str) -> Any:
    try:
        device = nfc.clf.device.connect(path)
    except (OSError, nfc.clf.transport.libusb.USBError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ReaderNotFound(
            f"The USB reader {path} cannot be opened ({reason}).",
            remedy="Give this user access with a udev rule, and unload pn533_usb if it holds it.",
        ) from None
    if device is None:
        raise ReaderNotFound(
            f"No USB reader that nfcpy knows is attached as {path}.",
            remedy="`taptill readers` lists what is attached.",
        )
    return device


def open_reader(url: str) -> NfcpyReader:
    """Opens ``nfcpy:tty:USB0:pn532``, ``nfcpy:usb:072f:2200``, ``nfcpy:udp:127.0.0.1:54399``.

    Raises:
        ReaderNotFound: the address is malformed, or no reader answers there.
    """
    address = url.partition(":")[2]
    if match := _TTY.fullmatch(address):
        path = match["path"] if match["path"].startswith("/") else f"/dev/tty{match['path']}"
        return NfcpyReader(f"PN532 on {path}", lambda: connect_pn532(path))
    if _USB.fullmatch(address):
        return NfcpyReader(f"NFC reader on {address}", lambda: _connect_usb(address))
    if match := _UDP.fullmatch(address):
        host, port = match["host"], int(match["port"])
        return NfcpyReader(f"nfcpy device at {host}:{port}", lambda: _connect_udp(host, port))
    raise ReaderNotFound(
        f"The reader address {url!r} is none that nfcpy has.",
        remedy="Write nfcpy:tty:USB0:pn532, nfcpy:usb or nfcpy:usb:072f:2200.",
    )


def discover() -> list[FoundReader]:
    """USB readers that nfcpy knows, and serial ports that may have a PN532 behind them.

    A serial port is not probed: what is behind it might be a printer.

    Raises:
        ReaderNotFound: the USB bus cannot be searched.
    """
    found = []
    try:
        attached = nfc.clf.transport.USB.find("usb")
    except nfc.clf.transport.libusb.USBError:
        raise ReaderNotFound("The USB bus cannot be searched for readers.") from None
    for vendor, product, _, _ in attached:
        if (vendor, product) in nfc.clf.device.usb_device_map:
            url = f"nfcpy:usb:{vendor:04x}:{product:04x}"
            chip = nfc.clf.device.usb_device_map[vendor, product].upper()
            found.append(FoundReader(url, f"{chip} on USB", "nfcpy"))
    for port in sorted(serial.tools.list_ports.comports()):
        url = f"nfcpy:tty:{port.device}:pn532"
        note = "a serial port; not probed, a PN532 may be behind it"
        found.append(FoundReader(url, str(port.description), "nfcpy", note))
    return found
