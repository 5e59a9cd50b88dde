"""A PN532, from its serial line to the cards in its field (NXP UM0701-02).

Rules of this file: the chip is bytes in and bytes out, without I/O or sleeping; times are
compared, never waited for. Where the manual leaves a state open, the chip takes the reading that
is harder on the driver: after a listing of up to two targets none of them can be spoken to, a
card in its protocol state is not listed again before the field was off, and bytes at the wrong
baud rate are noise.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from hardware_sim.pn532_frame import (
    ACK,
    BODY_MAX,
    ERROR,
    FROM_HOST,
    TO_HOST,
    Frame,
    FrameReader,
    Kind,
    encode,
)
from hardware_sim.radio import RadioField, crc_a
from hardware_sim.tags import IsoDepTag, Tag

LIST_PASSIVE_TARGET = 0x4A
"""InListPassiveTarget (7.3.5)."""

BAUD_RATES = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)
_DEFAULT_BAUD = 115200
_WAKE_UP_BYTES = 5
_FIRMWARE_BLOCK = 62  # The firmware activates with frames of 64 bytes, CRC included.

_OK = b"\x00"
_TIMEOUT = b"\x01"
_CRC_ERROR = b"\x02"
_PARITY_ERROR = b"\x03"
_WRONG_CONTEXT = b"\x27"

_TX_MODE = 0x6302
_FIFO_DATA = 0x6339
_RF_ITEMS = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}
"""RFConfiguration: the length of each item (7.3.1)."""


@dataclass(frozen=True, slots=True)
class AirFaults:
    """How bad the radio link is: shares of blocks, from a seed.

    ``lost_rate``: the reader's block never reaches the card. ``damaged_rate``: the card answered
    and the reader sees a CRC or parity error. ``timeout_at``: these blocks, counted from 1 over
    all that the chip sends to a selected target, are lost as well.
    """

    seed: int = 0
    lost_rate: float = 0.0
    damaged_rate: float = 0.0
    timeout_at: frozenset[int] = frozenset()


@dataclass(slots=True)
class LineFaults:
    """What shall go wrong on the serial line: how many times from now on."""

    damaged_responses: int = 0
    cut_responses: int = 0
    noisy_responses: int = 0
    lost_acks: int = 0
    ignored_commands: int = 0


class Pn532:
    """The chip, over a field in which tags come and go.

    Args:
        radio: the field.
        air: how bad the radio link is.
    """

    def __init__(self, radio: RadioField, *, air: AirFaults | None = None) -> None:
        self._radio = radio
        self.line = LineFaults()
        self.baud = _DEFAULT_BAUD
        self.field_on = False
        self.commands_taken = 0
        self.use_air(air or AirFaults())
        self._next_baud: int | None = None
        self._asleep_for = _WAKE_UP_BYTES
        self._frames = FrameReader()
        self._last_response = b""
        self._registers: dict[int, int] = {}
        self._parameters = 0x14
        self._timeout_us = 51200
        self._listed: tuple[Tag, ...] = ()
        self._selected: Tag | None = None
        self._commands: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: self._diagnose,
            0x02: lambda _: bytes.fromhex("32010607"),
            0x04: self._general_status,
            0x06: self._read_registers,
            0x08: self._write_registers,
            0x10: self._set_serial_baud_rate,
            0x12: self._set_parameters,
            0x14: lambda data: b"" if data and 1 <= data[0] <= 4 else None,
            0x16: self._power_down,
            0x32: self._rf_configuration,
            0x40: self._data_exchange,
            0x42: self._communicate_thru,
            0x44: self._deselect,
            LIST_PASSIVE_TARGET: self._list_passive_target,
            0x52: self._release,
            0x54: self._select,
        }

    def use_air(self, air: AirFaults) -> None:
        """Changes the weather, from its seed."""
        self._air = air
        self._chance = random.Random(air.seed)  # noqa: S311 - weather, not cryptography.
        self._block_count = 0

    def receive(self, data: bytes, *, host_baud: int) -> bytes:
        """What the chip sends back for bytes that arrive at ``host_baud``."""
        if host_baud == self._next_baud:
            # The host may close its port before we have read its last ACK at the old rate.
            self.baud, self._next_baud = host_baud, None
        if host_baud != self.baud:
            self._frames.reset()
            return b""
        if self._asleep_for:
            used = min(self._asleep_for, len(data))
            self._asleep_for -= used
            data = data[used:]
        return b"".join(self._answer(frame) for frame in self._frames.feed(data))

    def quiet(self) -> None:
        """The line has been silent for a while: a frame that has not ended never will."""
        self._frames.reset()

    def _answer(self, frame: Frame) -> bytes:
        if frame.kind is Kind.BROKEN:
            return b""  # No ACK: the host is to notice.
        if frame.kind is Kind.NACK:
            return self._through_the_line(self._last_response)
        if frame.kind is Kind.ACK:
            if self._next_baud is not None:
                self.baud, self._next_baud = self._next_baud, None
            return b""
        if self.line.ignored_commands:
            self.line.ignored_commands -= 1
            return b""
        self.commands_taken += 1
        ack = ACK
        if self.line.lost_acks:
            self.line.lost_acks -= 1
            ack = b""
        self._last_response = self._respond(frame.body)
        return ack + self._through_the_line(self._last_response)

    def _through_the_line(self, response: bytes) -> bytes:
        if self.line.damaged_responses:
            self.line.damaged_responses -= 1
            return response[:-2] + bytes((response[-2] ^ 0x55,)) + response[-1:]
        if self.line.noisy_responses:
            self.line.noisy_responses -= 1
            return b"\x00\x55\x00\x00\xaa" + response
        if self.line.cut_responses:
            self.line.cut_responses -= 1
            return response[:5]
        return response

    def _respond(self, body: bytes) -> bytes:
        answer = self.command(body)
        return ERROR if answer is None else encode(answer)

    def command(self, body: bytes) -> bytes | None:
        """What the chip answers to one command, both without their frames; None is a refusal."""
        if len(body) < 2 or body[0] != FROM_HOST or body[1] not in self._commands:
            return None
        result = self._commands[body[1]](body[2:])
        return None if result is None else bytes((TO_HOST, body[1] + 1)) + result

    def field_off(self) -> None:
        """Takes the power from whatever is in the field, which forgets its state."""
        self._switch_field(on=False)

    # Miscellaneous commands (7.2).

    def _diagnose(self, data: bytes) -> bytes | None:
        if not data:
            return None
        if data[0] == 0x00:  # Communication line: everything comes back.
            return data
        if data[0] in {0x01, 0x02, 0x07}:  # ROM, RAM, antenna.
            return _OK
        if data[0] == 0x06:  # Attention request: is the activated card still there?
            selected = self._selected
            present = isinstance(selected, IsoDepTag) and selected.activated
            return _OK if present and selected in self._radio.tags else _TIMEOUT
        return None

    def _general_status(self, data: bytes) -> bytes | None:
        if data:
            return None
        targets = b"".join(
            bytes((number, 0, 0, 0x00 if tag.technology != "F" else 0x10))
            for number, tag in enumerate(self._listed, start=1)
        )
        head = bytes((0x00, int(self.field_on), len(self._listed)))
        return head + targets + _OK

    def _read_registers(self, data: bytes) -> bytes | None:
        if not data or len(data) % 2:
            return None
        addresses = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_registers(self, data: bytes) -> bytes | None:
        if not data or len(data) % 3:
            return None
        for at in range(0, len(data), 3):
            self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
        return b""

    def _set_serial_baud_rate(self, data: bytes) -> bytes | None:
        if len(data) != 1 or data[0] >= len(BAUD_RATES):
            return None
        self._next_baud = BAUD_RATES[data[0]]  # In force once the host has sent its ACK.
        return b""

    def _set_parameters(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        self._parameters = data[0]
        return b""

    def _power_down(self, data: bytes) -> bytes | None:
        if not data:
            return None
        self._switch_field(on=False)
        self._asleep_for = _WAKE_UP_BYTES
        return _OK

    # The field and what stands in it (7.3).

    def _rf_configuration(self, data: bytes) -> bytes | None:
        if not data or len(data) - 1 != _RF_ITEMS.get(data[0], -1):
            return None
        if data[0] == 0x01:
            self._switch_field(on=bool(data[1] & 1))
        elif data[0] == 0x02:
            # The index n stands for 100 us * 2^(n-1); 0 for no limit (7.3.1, item 2).
            self._timeout_us = 100 << (data[3] - 1) if data[3] else 0
        return b""

    def _switch_field(self, *, on: bool) -> None:
        if self.field_on and not on:
            for tag in self._radio.tags:
                tag.power_off()
            self._listed, self._selected = (), None
        self.field_on = on

    def _list_passive_target(self, data: bytes) -> bytes | None:
        if len(data) < 2 or not 1 <= data[0] <= 2 or data[1] > 4:
            return None
        self._switch_field(on=True)
        technology = "AFFBJ"[data[1]]
        wanted = [t for t in self._radio.tags if t.technology == technology and t.answers_polling]
        found = tuple(wanted[: data[0]])
        if technology == "A":
            # Without an answer the CIU still holds the REQA that it sent.
            self._registers[_FIFO_DATA] = 0x00 if found else 0x26
        self._listed = found
        self._selected = found[0] if found and data[0] == 1 else None
        entries = (self._entry(number, tag) for number, tag in enumerate(found, start=1))
        return bytes((len(found),)) + b"".join(entries)

    def _entry(self, number: int, tag: Tag) -> bytes:
        if tag.technology == "A":
            head = bytes((number, *tag.sens[::-1], tag.sak, len(tag.uid))) + tag.uid
            if self._parameters & 0x10 and isinstance(tag, IsoDepTag):  # fAutomaticRATS
                answer = tag.frame(b"\xe0\x50")
                return head + (answer.block[:_FIRMWARE_BLOCK] if answer else b"")
            return head
        if tag.technology == "F":
            return bytes((number, len(tag.sensf) + 1)) + tag.sensf
        # The firmware activates a type B card itself: 64 byte frames, the number as CID.
        attrib = b"\x1d" + tag.uid[:4] + bytes((0x00, 0x05, 0x01, number))
        answer = tag.frame(attrib)
        result = answer.block[:_FIRMWARE_BLOCK] if answer else b""
        return bytes((number,)) + tag.sensb + bytes((len(result),)) + result

    def _communicate_thru(self, data: bytes) -> bytes | None:
        if not data:
            return None
        if self._selected not in self._radio.tags or self._selected is None:
            # Nobody was selected: whoever is in the field may hear it, and nobody answers.
            if self.field_on:
                ends = crc_a(data) if self._registers.get(_TX_MODE, 0) & 0x80 else b""
                self._radio.announced.append(data + ends)
            return _TIMEOUT
        self._block_count += 1
        lost = self._chance.random() < self._air.lost_rate
        damaged = self._chance.random() < self._air.damaged_rate
        if lost or self._block_count in self._air.timeout_at:
            return _TIMEOUT
        answer = self._selected.frame(data)
        if answer is None or (self._timeout_us and answer.after_us > self._timeout_us):
            return _TIMEOUT
        if damaged:
            return self._chance.choice((_CRC_ERROR, _PARITY_ERROR))
        if len(answer.block) + 3 > BODY_MAX:
            return b"\x07"
        return _OK + answer.block

    def _target(self, data: bytes) -> Tag | None:
        number = data[0] & 0x3F if data else 0
        present = 1 <= number <= len(self._listed) and self._listed[number - 1] in self._radio.tags
        return self._listed[number - 1] if present else None

    def _data_exchange(self, data: bytes) -> bytes | None:
        if len(data) < 1:
            return None
        tag = self._target(data)
        if tag is None:
            return _WRONG_CONTEXT if not self._listed else _TIMEOUT
        if not isinstance(tag, IsoDepTag) or not tag.activated:
            return _TIMEOUT
        response = tag.apdu(data[1:])
        return _TIMEOUT if response is None else _OK + response[: BODY_MAX - 3]

    def _select(self, data: bytes) -> bytes | None:
        tag = self._target(data)
        if tag is None:
            return _WRONG_CONTEXT
        self._selected = tag
        return _OK

    def _deselect(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        # Number 0 stands for all of them (7.3.10).
        for tag in self._listed if data[0] == 0 else filter(None, [self._target(data)]):
            tag.power_off()
            tag.halted = True
        self._selected = None
        return _OK

    def _release(self, data: bytes) -> bytes | None:
        status = self._deselect(data)
        if status is not None:
            self._listed = ()
        return status
