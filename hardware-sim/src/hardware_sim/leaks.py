"""Finds a card number in bytes, whatever form it took on the way there.

Rules of this file: every form is looked for in every byte, so a finding names the form and the
offset and never shows the number. Compressed members are opened and searched as well.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Leak:
    """Where a card number stands: the file or channel, the form it has, and the offset."""

    place: str
    form: str
    offset: int


def _packed(digits: str) -> bytes:
    return bytes.fromhex(digits if len(digits) % 2 == 0 else digits[:-1])


def _base64_cores(content: bytes) -> Iterator[bytes]:
    """The characters that stand for ``content`` at each of the three alignments."""
    for before in range(3):
        padded = bytes(before) + content + bytes(-(before + len(content)) % 3)
        encoded = base64.b64encode(padded)
        first = -(-before * 8 // 6)
        last = (before + len(content)) * 8 // 6
        yield encoded[first:last]


@cache
def forms_of(digits: str) -> Mapping[str, bytes]:
    """Every form in which a number of ``digits`` could be left behind.

    ASCII, its reverse, UTF-16 in both orders, packed decimal at both nibble alignments, all of
    these as hexadecimal text and as Base64 at each alignment.
    """
    text = digits.encode()
    forms: dict[str, bytes] = {
        "ASCII": text,
        "reversed ASCII": text[::-1],
        "UTF-16LE": digits.encode("utf-16-le"),
        "UTF-16BE": digits.encode("utf-16-be"),
        "BCD": _packed(digits),
        # One nibble later, all but the two digits at the ends are whole bytes again.
        "BCD, odd": _packed(digits[1:]),
        "BCD, swapped": bytes(b >> 4 | (b & 15) << 4 for b in _packed(digits)),
    }
    for name, content in (("ASCII", text), ("UTF-16LE", forms["UTF-16LE"])):
        forms[f"hex of {name}"] = content.hex().encode()
        forms[f"HEX of {name}"] = content.hex().upper().encode()
    for name in ("ASCII", "UTF-16LE", "BCD"):
        for alignment, core in enumerate(_base64_cores(forms[name])):
            forms[f"Base64 of {name}, alignment {alignment}"] = core
    return {name: content for name, content in forms.items() if len(content) >= 6}


def find(place: str, content: bytes, numbers: Mapping[str, str]) -> list[Leak]:
    """Looks for each of ``numbers`` (name to digits) in ``content``, in every form."""
    leaks = []
    for part_name, part in _parts(content):
        for number_name, digits in numbers.items():
            for form, needle in forms_of(digits).items():
                offset = part.find(needle)
                if offset >= 0:
                    leaks.append(Leak(place, f"{number_name} as {form}{part_name}", offset))
    return leaks


def _parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves, and whatever opens as a gzip or zlib member in them."""
    yield "", content
    for match in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", content):
        window = 31 if match.group().startswith(b"\x1f") else 15
        try:
            opened = zlib.decompressobj(window).decompress(content[match.start() :], 2**24)
        except zlib.error:
            continue
        yield f" in a compressed member at {match.start()}", opened


def find_in_folder(folder: Path, numbers: Mapping[str, str]) -> list[Leak]:
    """Looks into every regular file below ``folder``, and at the names of the files."""
    leaks = []
    for path in sorted(folder.rglob("*")):
        leaks += find(f"name of {path.name}", str(path).encode(), numbers)
        if path.is_file():
            leaks += find(str(path.relative_to(folder)), path.read_bytes(), numbers)
    return leaks
