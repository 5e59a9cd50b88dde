"""Published card dialogues as cards: strict about every command, forgiving about readers.

A transcript that states its terminal's configuration is replayed byte for byte. Of the others,
the terminal's own values in GET PROCESSING OPTIONS and GENERATE AC are not known, so their
header and length have to match; commands that only a collecting reader sends (GET DATA, a record
read for information) are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from terminal.emv import dol
from terminal.emv.entry_point import Combination, ReaderSettings, TransactionRequest
from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.emv.tlv import decode, first
from terminal.errors import CardLost
from terminal.money import Amount, Currency


class TranscriptMismatch(AssertionError):
    """The terminal sent a command that the transcript does not have here."""


def ticking() -> Iterator[float]:
    """A monotonic clock that moves one millisecond a look."""
    at = 0.0
    while True:
        yield at
        at += 0.001


class Clock:
    def __init__(self) -> None:
        self._ticks = ticking()

    def __call__(self) -> float:
        return next(self._ticks)


class ReplayCard:
    """A card that answers as one did when it was recorded."""

    technology = "transcript"

    def __init__(self, exchanges: list[dict[str, str | None]], *, exact: bool) -> None:
        self._exchanges = exchanges
        self._exact = exact
        self.position = 0

    def exchange(self, command: bytes) -> bytes:
        while self.position < len(self._exchanges):
            recorded = self._exchanges[self.position]
            self.position += 1
            if self._matches(command, recorded["command"]):
                answer = recorded["response"]
                if answer is None:
                    raise CardLost("The recorded card was lost here.")
                return bytes.fromhex(answer)
            if self._exact or not _for_information(recorded["command"]):
                raise TranscriptMismatch(
                    f"exchange {self.position}: sent {command.hex().upper()}, "
                    f"recorded {recorded['command']}"
                )
        raise TranscriptMismatch(f"the transcript ends before {command.hex().upper()}")

    def _matches(self, command: bytes, recorded: str | None) -> bool:
        if recorded is None:
            return True
        wire = bytes.fromhex(recorded)
        if self._exact:
            return command == wire
        if command[1] in {0xA8, 0xAE}:
            return command[:5] == wire[:5]
        # Le is the transport's business: contact readers learn it from 6Cxx.
        return command[:-1] == wire[: len(command) - 1] and len(wire) - len(command) in {-1, 0}


def _for_information(recorded: str | None) -> bool:
    return (
        recorded is not None
        and recorded[:4] in {"80CA", "00B2", "00A4"}
        and (recorded[:4] != "00A4" or "5359532E444446" in recorded)
    )


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def ca_keys(transcript: dict[str, Any]) -> CaKeys:
    """The transcript's keys; one public list has a key twice, once longer than Book 2 allows."""
    listed = transcript.get("ca_public_keys", [])
    return CaKeys(tuple(ca_key(each) for each in listed if len(each["modulus"]) <= 2 * 248))


def ca_key(each: dict[str, str]) -> CaPublicKey:
    return CaPublicKey(
        bytes.fromhex(each["rid"]),
        int(each["index"], 16),
        bytes.fromhex(each["modulus"]),
        bytes.fromhex(each["exponent"]),
    )


def recorded_values(transcript: dict[str, Any]) -> dict[int, bytes]:
    """What the recording terminal sent in its DOLs, by tag."""
    values: dict[int, bytes] = {}
    lists: dict[int, bytes] = {}
    for exchange in transcript["exchanges"]:
        command, answer = exchange["command"], exchange["response"]
        if command and command[:4] in {"80A8", "80AE"}:
            wire = bytes.fromhex(command)
            data = wire[5 : 5 + wire[4]]
            asked = lists.get(0x9F38 if wire[1] == 0xA8 else 0x8C, b"")
            filled = data[2:] if wire[1] == 0xA8 else data
            for entry in dol.parse(asked):
                if filled:
                    values.setdefault(entry.tag, filled[: entry.length])
                filled = filled[entry.length :]
        if answer and answer[:2] in {"6F", "70"} and len(answer) > 4:
            found = decode(bytes.fromhex(answer)[:-2])
            for tag in (0x9F38, 0x8C):
                stated = first(found, tag)
                if stated:
                    lists[tag] = stated.value
    return values


def recorded_request(values: dict[int, bytes]) -> TransactionRequest:
    day = values.get(0x9A, bytes.fromhex("160101")).hex()
    number = int(values.get(0x5F2A, bytes(2)).hex()) or 978
    return TransactionRequest(
        amount=Amount(int(values.get(0x9F02, b"\x01").hex()), Currency.of_number(number)),
        at=datetime.strptime(day + "+0000", "%y%m%d%z"),
        unpredictable_number=values.get(0x9F37, bytes.fromhex("01020304")),
    )


def recorded_settings(
    transcript: dict[str, Any], values: dict[int, bytes], **changes: Any
) -> ReaderSettings:
    """One reader for all recordings: Mastercard, Visa, and CB with Visa's kernel."""
    schemes = (
        ("A0000000041010", 2, "Mastercard"),
        ("A0000000031010", 3, "Visa"),
        ("A0000000421010", 3, "CB"),
    )
    stated: dict[str, Any] = {
        "country_number": int(values.get(0x9F1A, bytes(2)).hex()) or 250,
        "terminal_type": values.get(0x9F35, b"\x22")[0],
        "ca_keys": ca_keys(transcript),
        "combinations": tuple(
            Combination(
                bytes.fromhex(aid),
                kernel,
                scheme,
                floor_limit_minor=None,
                cvm_limit_minor=5000,
                # The recording kernel 2 is older than the protocol.
                relay_resistance_in_tvr=False,
            )
            for aid, kernel, scheme in schemes
        ),
    }
    return ReaderSettings(**(stated | changes))
