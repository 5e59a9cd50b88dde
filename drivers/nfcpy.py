"""Readers that nfcpy drives itself: a PN532 on a serial port, USB readers, and ``udp:``.

Rules of this file: addresses and how they are opened; the reader itself is in ``nfcpy_reader``.
nfcpy's loggers are shut here, before anything is opened, since they print every frame.
"""

from __future__ import annotations

import errno
import logging
import re
from typing import Any

try:
    import nfc.clf.device
    import nfc.clf.transport
    import serial.tools.list_ports
except OSError as cause:  # libusb1 loads its shared library at import, and says so as OSError.
    raise ImportError("libusb-1.0 is missing") from cause

from drivers import nfcpy_udp
from drivers.nfcpy_reader import NfcpyReader
from drivers.nfcpy_uart import connect_pn532
from drivers.registry import FoundReader
from terminal.errors import ReaderAddressWrong, ReaderNotFound

_log = logging.getLogger("nfc")
_log.addHandler(logging.NullHandler())
_log.propagate = False
_log.setLevel(logging.CRITICAL + 1)

_USB_REMEDIES = {
    errno.ENOENT: "Install libusb 1.0 (on Debian: libusb-1.0-0).",
    errno.EACCES: "Give this user access to it with a udev rule.",
    errno.EBUSY: "pcscd has it, then open it as pcsc:, or the kernel, then unload pn533_usb.",
}

_USB = re.compile(r"usb(:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}|:[0-9]{1,3}:[0-9]{1,3})?")
_UDP = re.compile(r"udp:(?P<host>[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")
_TTY = re.compile(r"tty:(?P<path>[^:]+)(:pn532)?")


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
            f"The USB reader {path} cannot be opened ({reason.lower()}).",
            remedy=_USB_REMEDIES.get(getattr(error, "errno", 0), "Unplug it and plug it in."),
        ) from None
    if device is None:
        raise ReaderNotFound(
            f"No USB reader that nfcpy knows is attached as {path}.",
            remedy="`taptill readers` lists what is there. Without access rights it is not seen.",
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
    match = _UDP.fullmatch(address)
    if match and 0 < int(match["port"]) < 65536:
        host, port = match["host"], int(match["port"])
        return NfcpyReader(f"nfcpy device at {host}:{port}", lambda: _connect_udp(host, port))
    raise ReaderAddressWrong(
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
    except (OSError, nfc.clf.transport.libusb.USBError):
        raise ReaderNotFound(
            "The USB bus cannot be searched for readers.",
            remedy=_USB_REMEDIES[errno.ENOENT],
        ) from None
    for vendor, product, _, _ in attached:
        if (vendor, product) in nfc.clf.device.usb_device_map:
            url = f"nfcpy:usb:{vendor:04x}:{product:04x}"
            chip = nfc.clf.device.usb_device_map[vendor, product].upper()
            found.append(FoundReader(url, f"{chip} on USB", "nfcpy"))
    for port in sorted(serial.tools.list_ports.comports()):
        url = f"nfcpy:tty:{port.device}:pn532"
        note = "a serial port; not probed, a PN532 may be behind it"
        name = f"serial port {port.name}" if port.description == "n/a" else str(port.description)
        found.append(FoundReader(url, name, "nfcpy", note))
    return found
