"""Frames of ISO/IEC 14443 with their checksums, and the blocks of ISO-DEP in them (``rf/*``)."""

from __future__ import annotations

from collections.abc import Iterator

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    kinds,
    require,
    same,
    unhex,
    upper,
)

_ECP = 0x6A


def crc_a(data: bytes) -> bytes:
    """CRC_A, two bytes, the lower first (ISO/IEC 14443-3, Annex B)."""
    register = 0x6363
    for byte in data:
        value = (byte ^ register) & 0xFF
        value = (value ^ value << 4) & 0xFF
        register = register >> 8 ^ value << 8 ^ value << 3 ^ value >> 4
    return (register & 0xFFFF).to_bytes(2, "little")


def _frame(frame: Json) -> None:
    data = unhex(frame["data"])
    right = len(data) > 2 and crc_a(data[:-2]) == data[-2:]
    same(f"CRC_A at {frame['t_us']} us", right, frame["crc_a_ok"])


def _checksums(frames: Json) -> str:
    for frame in frames:
        _frame(frame)
    right = sum(bool(frame["crc_a_ok"]) for frame in frames)
    return f"{right} of {len(frames)} frames have a right checksum, as stated"


def _order(frames: Json) -> str:
    """Times go forward, and a card speaks after a reader only."""
    last = -1.0
    for frame in frames:
        require(frame["t_us"] >= last, f"{frame['t_us']} us comes before {last} us")
        last = frame["t_us"]
    first_card = next((i for i, each in enumerate(frames) if each["from"] == "card"), None)
    require(first_card != 0, "a card speaks before a reader")
    polled = sum(unhex(each["data"])[:1] == bytes((_ECP,)) for each in frames)
    return f"{polled} polling annotations (6A)"


def _blocks(frames: Json) -> str:
    """I-blocks of one direction, joined: each APDU of the dialogue (ISO/IEC 14443-4)."""
    joined: list[str] = []
    parts: dict[str, bytes] = {"reader": b"", "card": b""}
    dep = False
    for frame in frames:
        data = unhex(frame["data"])
        if not frame["crc_a_ok"] or len(data) < 4:
            continue
        if frame["from"] == "reader" and data[0] & 0xF0 == 0xE0 and len(data) == 4:
            dep = True
            continue
        if not dep or data[0] & 0xE2 != 0x02:
            continue
        body = data[1 + (data[0] >> 3 & 1) + (data[0] >> 2 & 1) : -2]
        parts[frame["from"]] += body
        if not data[0] & 0x10:
            joined.append(f"{frame['from']} {upper(parts[frame['from']])}")
            parts[frame["from"]] = b""
    for expected, apdu in zip(("reader", "card") * len(joined), joined, strict=False):
        require(apdu.startswith(expected), "commands and answers do not alternate")
    return f"{len(joined)} APDUs in the blocks"


def _cases(document: Document, _: Library) -> Iterator[Case]:
    frames = document.content["frames"]
    yield Case("checksums", "CRC_A of each frame, as stated", lambda: _checksums(frames))
    yield Case("order", "times and turns", lambda: _order(frames))
    yield Case("blocks", "ISO-DEP blocks give whole APDUs", lambda: _blocks(frames))


FORMATS = (Format("iso14443a_frames", "Radio frames", kinds("iso14443a_frames"), _cases),)
"""The formats of this file."""
