"""PPSE and the candidate list (EMV Contactless Book B, 3.3).

Rules of this file: bytes in, values out; the dialogue itself is in ``entry_point``. An entry of
the directory that breaks a rule is left out, as Book B says; a directory that cannot be read at
all is a ``CardError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """One application of the card's directory; ``kernel_id`` 0 leaves the choice to the reader.

    ``extended`` is the extended selection (9F29) that may follow the name in SELECT.
    """

    adf_name: bytes
    label: str
    priority: int
    kernel_id: int
    extended: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An application that both sides have, with the combination that would run it."""

    adf_name: bytes
    label: str
    combination: Combination
    extended: bytes = b""

    @property
    def selected_by(self) -> bytes:
        """The data of the final SELECT (Book B, 3.3.3.3): the name, and 9F29 where both have it."""
        extended = self.extended if self.combination.extended_selection else b""
        return self.adf_name + extended


@dataclass(frozen=True, slots=True)
class FileControlInformation:
    """The answer to SELECT (EMV Book 1, 11.3): the name selected and the proprietary objects."""

    df_name: bytes
    objects: tuple[Tlv, ...]


def _child(objects: Iterable[Tlv], tag: int) -> Tlv | None:
    return next((each for each in objects if each.tag == tag), None)


def parse_fci(data: bytes) -> FileControlInformation:
    """Reads 6F { 84, A5 { ... } }; what follows the template is not looked at, as in libpay.

    Raises:
        CardError: the answer is not that, or its name is not 5 to 16 bytes.
    """
    outer = decode(data)
    if not outer or outer[0].tag != tags.FCI_6F:
        raise CardError("The answer to SELECT is no template 6F.")
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
    if len(value) < 3:
        return None
    return int.from_bytes(value[:3], "big") if value[0] & 0x3F else 0


def directory(ppse: bytes) -> list[DirectoryEntry]:
    """The applications that the answer to SELECT PPSE lists, in the card's order.

    Raises:
        CardError: the answer is not a well-formed file control information.
    """
    templates = find_all(parse_fci(ppse).objects, tags.APPLICATION_TEMPLATE_61)
    entries = (_entry({each.tag: each.value for each in t.children}) for t in templates)
    return [entry for entry in entries if entry is not None]


def _entry(objects: Mapping[int, bytes]) -> DirectoryEntry | None:
    """One entry of the directory, or None when it has to be left out."""
    name = objects.get(tags.ADF_NAME_4F, b"")
    kernel_id = _kernel_id(objects.get(tags.KERNEL_ID_9F2A), name)
    if not 5 <= len(name) <= 16 or kernel_id is None:
        return None
    return DirectoryEntry(
        adf_name=name,
        label=text(objects.get(tags.LABEL_50, b"")),
        priority=(objects.get(tags.PRIORITY_87) or b"\x00")[0] & 0x0F,
        kernel_id=kernel_id,
        extended=objects.get(tags.EXTENDED_SELECTION_9F29, b""),
    )


def candidates(
    entries: Sequence[DirectoryEntry], combinations: Sequence[Combination]
) -> list[Candidate]:
    """What both sides have, best first (Book B, 3.3.2.5 and 3.3.3.2).

    Priority 1 is the highest and 0 means none, so it comes last; among equals the card's order
    stands, and for one entry the reader's order of combinations.
    """
    ranked = sorted(entries, key=lambda entry: entry.priority or 16)
    return [
        Candidate(entry.adf_name, entry.label, combination, entry.extended)
        for entry in ranked
        for combination in combinations
        if entry.adf_name.startswith(combination.aid)
        and entry.kernel_id in {0, combination.kernel_id}
    ]
