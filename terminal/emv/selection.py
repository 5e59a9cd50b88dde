"""PPSE and the candidate list (EMV Contactless Book B, 3.3).

Rules of this file: bytes in, values out; the dialogue itself is in ``entry_point``. An entry of
the directory that breaks a rule is left out, as Book B says; a directory that cannot be read at
all is a ``CardError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terminal.emv import tags
from terminal.emv.settings import Combination
from terminal.emv.tlv import Tlv, decode, find_all
from terminal.errors import CardError

PPSE = b"2PAY.SYS.DDF01"

# Book B, table 3-6: the kernel that an entry means when it names none, by RID.
_DEFAULT_KERNELS = {
    bytes.fromhex("A000000003"): 3,
    bytes.fromhex("A000000004"): 2,
    bytes.fromhex("A000000025"): 4,
    bytes.fromhex("A000000065"): 5,
    bytes.fromhex("A000000152"): 6,
    bytes.fromhex("A000000333"): 7,
}


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One application of the card's directory; ``kernel_id`` 0 leaves the choice to the reader."""

    adf_name: bytes
    label: str
    priority: int
    kernel_id: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An application that both sides have, with the combination that would run it."""

    adf_name: bytes
    label: str
    combination: Combination


@dataclass(frozen=True, slots=True)
class FileControlInformation:
    """The answer to SELECT (EMV Book 1, 11.3): the name selected and the proprietary objects."""

    df_name: bytes
    objects: tuple[Tlv, ...]


def _child(objects: Iterable[Tlv], tag: int) -> Tlv | None:
    return next((each for each in objects if each.tag == tag), None)


def parse_fci(data: bytes) -> FileControlInformation:
    """Reads 6F { 84, A5 { ... } }.

    Raises:
        CardError: the answer is not that, or its name is not 5 to 16 bytes.
    """
    outer = decode(data)
    if len(outer) != 1 or outer[0].tag != tags.FCI_6F:
        raise CardError("The answer to SELECT is not one template 6F.")
    name = _child(outer[0].children, tags.DF_NAME_84)
    proprietary = _child(outer[0].children, tags.FCI_PROPRIETARY_A5)
    if name is None or not 5 <= len(name.value) <= 16:
        raise CardError("The answer to SELECT has no usable name (84).")
    if proprietary is None:
        raise CardError("The answer to SELECT has no template A5.")
    return FileControlInformation(name.value, proprietary.children)


def text(value: bytes) -> str:
    """Printable ASCII of a card's text; what is not printable is left out."""
    return "".join(chr(byte) for byte in value if 0x20 <= byte < 0x7F).strip()


def _kernel_id(value: bytes | None, adf_name: bytes) -> int | None:
    """The requested kernel (Book B, 3.3.2.5); None says that the entry is to be skipped."""
    if not value:
        return _DEFAULT_KERNELS.get(adf_name[:5], 0)
    if value[0] & 0x80 == 0:
        return value[0]
    if value[0] & 0x3F == 0:
        return 0
    return int.from_bytes(value[:3], "big") if len(value) >= 3 else None


def directory(ppse: bytes) -> list[DirectoryEntry]:
    """The applications that the answer to SELECT PPSE lists, in the card's order.

    Raises:
        CardError: the answer is not a well-formed file control information.
    """
    entries: list[DirectoryEntry] = []
    for template in find_all(parse_fci(ppse).objects, tags.APPLICATION_TEMPLATE_61):
        name = _child(template.children, tags.ADF_NAME_4F)
        if name is None or not 5 <= len(name.value) <= 16:
            continue
        requested = _child(template.children, tags.KERNEL_ID_9F2A)
        kernel_id = _kernel_id(requested.value if requested else None, name.value)
        if kernel_id is None:
            continue
        label = _child(template.children, tags.LABEL_50)
        priority = _child(template.children, tags.PRIORITY_87)
        rank = priority.value[0] & 0x0F if priority and priority.value else 0
        entries.append(
            DirectoryEntry(name.value, text(label.value) if label else "", rank, kernel_id)
        )
    return entries


def candidates(
    entries: Sequence[DirectoryEntry], combinations: Sequence[Combination]
) -> list[Candidate]:
    """What both sides have, best first (Book B, 3.3.2.6 and 3.3.3).

    Priority 1 is the highest and 0 means none, so it comes last; among equals the card's order
    stands, and for one entry the reader's order of combinations.
    """
    ranked = sorted(entries, key=lambda entry: entry.priority or 16)
    return [
        Candidate(entry.adf_name, entry.label, combination)
        for entry in ranked
        for combination in combinations
        if entry.adf_name.startswith(combination.aid)
        and entry.kernel_id in {0, combination.kernel_id}
    ]
