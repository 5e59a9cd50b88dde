"""ISO-DEP over nfcpy: activates one card and carries its APDUs (ISO/IEC 14443-4).

Rules of this file: nfcpy's block protocol is used as it is, and everything that it trusts blindly
is checked here first: the answer to select, the length of a waiting time extension, and how many
blocks a card may spend on one APDU. No message carries a byte of an exchange.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nfc.clf
import nfc.clf.pn53x
import nfc.tag.tt4

from terminal.errors import CardError

_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_CARRIER_HZ = 13.56e6
_DELTA_FWT_S = 49152 / _CARRIER_HZ
_ACTIVATION_S = 0.03
_DEFAULT_FSCI = 2
_DEFAULT_FWI = 4
_WTXM_MAX = 59
_CHIP_MARGIN_S = 0.1
_CHIP_TIMEOUT = 0x01

# A short APDU fills 17 blocks of the smallest frame each way; the rest is room for repeats.
_BLOCKS_PER_APDU = 400
_APDU_S = 5.0


class NotActivated(Exception):
    """The card answered polling and could not be activated; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an activated card asked for: its longest frame in bytes, its times in seconds."""

    fsc: int
    fwt_s: float
    guard_s: float = 0.0


def terms_of_ats(ats: bytes) -> Terms:
    """Reads an ATS; interface bytes that are absent take their defaults (14443-4, 5.2).

    Raises:
        NotActivated: its length byte does not match.
    """
    if not ats or ats[0] != len(ats):
        raise NotActivated("its answer to select is malformed")
    if len(ats) == 1:
        return _terms(_DEFAULT_FSCI, _DEFAULT_FWI)
    format_byte = ats[1]
    ahead_of_tb = bool(format_byte & 0x10)
    at_tb = 2 + ahead_of_tb
    if format_byte & 0x20:
        if at_tb >= len(ats):
            raise NotActivated("its answer to select is malformed")
        return _terms(format_byte & 0x0F, ats[at_tb] >> 4, sfgi=ats[at_tb] & 0x0F)
    return _terms(format_byte & 0x0F, _DEFAULT_FWI)


def terms_of_sensb(sensb: bytes) -> Terms:
    """Reads the protocol info of a SENSB_RES (ATQB; 14443-3, 7.9.4).

    Raises:
        NotActivated: it is too short.
    """
    if len(sensb) < 12:
        raise NotActivated("its answer to request is malformed")
    return _terms(sensb[10] >> 4, sensb[11] >> 4)


def _terms(fsci: int, fwi: int, sfgi: int = 0) -> Terms:
    unit_s = 4096 / _CARRIER_HZ
    return Terms(
        fsc=_FRAME_SIZES[min(fsci, 8)],
        fwt_s=unit_s * 2 ** (fwi if fwi < 15 else _DEFAULT_FWI),
        # More than SFGI 8 (78 ms) is against EMV; such a card gets that much and no more.
        guard_s=unit_s * 2 ** min(sfgi, 8) if 0 < sfgi < 15 else 0.0,
    )


class Air:
    """The part of nfcpy's frontend that its block protocol uses, bounded.

    Args:
        device: nfcpy's device.
        target: the card, as ``sense_tta`` or ``sense_ttb`` found it.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(
        self, device: Any, target: Any, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._device = device
        self._target = target
        self._monotonic = monotonic
        self._fwt_s = _ACTIVATION_S
        self._chipset = device.chipset if isinstance(device, nfc.clf.pn53x.Device) else None
        self._timeout_in_force_s = 0.0
        self._blocks_left = _BLOCKS_PER_APDU
        self._deadline = monotonic() + _APDU_S

    def activate(self) -> Terms:
        """RATS or ATTRIB.

        Raises:
            NotActivated: the card does not answer it, or answers nonsense.
        """
        whole = self._device.get_max_recv_data_size(self._target) >= _FRAME_SIZES[-1]
        fsdi = 8 if whole else 7
        try:
            if self._target.brty.endswith("A"):
                ats = self._send(bytes((0xE0, fsdi << 4)), _ACTIVATION_S)
                terms = terms_of_ats(bytes(ats))
            else:
                terms = terms_of_sensb(bytes(self._target.sensb_res))
                pupi = bytes(self._target.sensb_res[1:5])
                attrib = b"\x1d" + pupi + bytes((0x00, fsdi, 0x01, 0x00))
                self._send(attrib, _ACTIVATION_S)
        except nfc.clf.CommunicationError:
            raise NotActivated("it stopped answering while it was activated") from None
        self._fwt_s = terms.fwt_s
        return terms

    def begin(self) -> None:
        """A new APDU: the count of blocks and the time start again."""
        self._blocks_left = _BLOCKS_PER_APDU
        self._deadline = self._monotonic() + _APDU_S

    def exchange(self, block: bytes, timeout: float) -> bytearray:
        """One block and its answer, waiting time extensions granted on the way.

        Raises:
            nfc.clf.CommunicationError: as nfcpy has it: timeout, damage, broken rules.
        """
        answer = self._send(block, timeout)
        while answer and answer[0] & 0xFE == 0xF2:
            factor = answer[1] & 0x3F if len(answer) == 2 else 0
            if not 1 <= factor <= _WTXM_MAX:
                raise nfc.clf.ProtocolError("waiting time extension")
            extended_s = factor * self._fwt_s + _DELTA_FWT_S
            answer = self._send(bytes((0xF2, factor)), extended_s)
        return answer

    def _send(self, block: bytes, timeout_s: float) -> bytearray:
        remaining_s = self._deadline - self._monotonic()
        if self._blocks_left <= 0 or remaining_s <= 0:
            raise nfc.clf.ProtocolError("the card spends too much on one command")
        self._blocks_left -= 1
        answer = self._carry(bytearray(block), min(timeout_s, remaining_s))
        if not answer:
            raise nfc.clf.TransmissionError("empty frame")
        return bytearray(answer)

    def _carry(self, block: bytearray, timeout_s: float) -> Any:
        """One block over the device; the short way when the chip is set up for it already.

        nfcpy sets modulation and timeout before each block, which makes four commands of one. On
        a serial adapter that holds bytes back for 16 ms, a tap would take longer than a person
        holds the card.
        """
        if self._chipset is None or timeout_s != self._timeout_in_force_s:
            self._timeout_in_force_s = 0.0
            answer = self._device.send_cmd_recv_rsp(self._target, block, timeout_s)
            self._timeout_in_force_s = timeout_s
            return answer
        try:
            # The chip rounds its timeout up to the next power of two.
            return self._chipset.in_communicate_thru(block, 2 * timeout_s + _CHIP_MARGIN_S)
        except nfc.clf.pn53x.Chipset.Error as error:
            if error.errno == _CHIP_TIMEOUT:
                raise nfc.clf.TimeoutError from None
            raise nfc.clf.TransmissionError("the chip received a damaged frame") from None
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                raise nfc.clf.TimeoutError from None
            raise


class IsoDep:
    """An activated card: whole APDUs through nfcpy's block protocol.

    Raises:
        NotActivated: on construction, when activation fails.
    """

    def __init__(self, device: Any, target: Any) -> None:
        self._air = Air(device, target)
        terms = self._air.activate()
        time.sleep(terms.guard_s)
        fsc = min(terms.fsc, device.get_max_send_data_size(target))
        self._blocks = nfc.tag.tt4.IsoDepInitiator(self._air, fsc, terms.fwt_s)
        self.technology = f"ISO 14443-4 {target.brty[-1]}"

    def exchange(self, command: bytes) -> bytes:
        """Sends one C-APDU, returns the R-APDU.

        Raises:
            nfc.clf.CommunicationError, nfc.tag.TagCommandError: the card is lost.
            CardError: fewer bytes than a status word has.
        """
        self._air.begin()
        response = bytes(self._blocks.exchange(bytearray(command)))
        if len(response) < 2:
            raise CardError("The card answered without a status word.")
        return response
