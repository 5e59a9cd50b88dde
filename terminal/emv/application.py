"""One selected application: GET PROCESSING OPTIONS, READ RECORD and what they gave.

Rules of this file: shared by all kernels and decides nothing. ``Objects`` refuses a critical
object that is stated twice, differently. Static data for authentication is collected exactly as
the card sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from terminal.emv import dol, tags
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.selection import Candidate, FileControlInformation
from terminal.emv.tlv import Tlv, decode, encode, walk
from terminal.errors import CardError

_SFI_EMV_MAX = 10


class Objects(Mapping[int, bytes]):
    """The card's data objects by tag, first statement first. Nothing of it is ever shown."""

    def __init__(self) -> None:
        self._values: dict[int, bytes] = {}

    def add(self, objects: Iterable[Tlv]) -> None:
        """Takes the primitive objects in, at any depth.

        Raises:
            CardError: a critical object was stated before with another value.
        """
        for each in walk(objects):
            if not each.constructed:
                self.put(each.tag, each.value)

    def put(self, tag: int, value: bytes) -> None:
        """Takes one object in.

        Raises:
            CardError: a critical object was stated before with another value.
        """
        known = self._values.setdefault(tag, value)
        if known != value and tag in tags.CRITICAL:
            raise CardError(f"The card states tag {tag:02X} twice, with different values.")

    def need(self, tag: int) -> bytes:
        """The value of an object that must be there.

        Raises:
            CardError: it is not.
        """
        value = self._values.get(tag)
        if value is None:
            name = tags.TAGS[tag].name if tag in tags.TAGS else "data object"
            raise CardError(f"The card gave no {name} ({tag:02X}).")
        return value

    def __getitem__(self, tag: int) -> bytes:
        return self._values[tag]

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Objects of {len(self._values)} tags>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a card's data objects cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class AflEntry:
    """One range of records (EMV Book 3, 10.2): file, first, last, and how many are signed."""

    sfi: int
    first: int
    last: int
    oda_records: int


@dataclass(slots=True)
class Application:
    """What is known of the selected application while its kernel runs.

    ``options`` is the value of the answer to GET PROCESSING OPTIONS in format 2, as sent.
    ``static_data`` is the input of static authentication, or None once a record made it
    impossible (a record for authentication that is no template 70).
    """

    candidate: Candidate
    objects: Objects = field(default_factory=Objects)
    pdol_data: bytes = field(default=b"", repr=False)
    options: bytes = field(default=b"", repr=False)
    aip: bytes = bytes(2)
    afl: tuple[AflEntry, ...] = ()
    static_data: bytes | None = field(default=b"", repr=False)
    df_name: bytes = b""
    in_records: set[int] = field(default_factory=set)

    @classmethod
    def selected(cls, candidate: Candidate, fci: FileControlInformation) -> Application:
        """The application as SELECT left it.

        Raises:
            CardError: a critical object stands twice in the FCI, differently.
        """
        application = cls(candidate, df_name=fci.df_name)
        application.objects.put(tags.DF_NAME_84, fci.df_name)
        application.objects.add(fci.objects)
        return application

    def aip_has(self, byte: int, mask: int) -> bool:
        """Whether a bit of the application interchange profile (82) is set; ``byte`` from 1."""
        return bool(self.aip[byte - 1] & mask)


def parse_afl(value: bytes) -> tuple[AflEntry, ...]:
    """Reads an application file locator (94).

    Raises:
        CardError: not whole entries, a file outside 1 to 30, or records out of order.
    """
    if len(value) % 4:
        raise CardError("The application file locator (94) does not consist of four-byte entries.")
    entries: list[AflEntry] = []
    for offset in range(0, len(value), 4):
        sfi, first, last, signed = value[offset : offset + 4]
        entry = AflEntry(sfi >> 3, first, last, signed)
        if sfi & 0x07 or not 1 <= entry.sfi <= 30 or not 1 <= first <= last:
            raise CardError("The application file locator (94) names impossible records.")
        if signed > last - first + 1:
            raise CardError("The application file locator (94) signs more records than it names.")
        entries.append(entry)
    return tuple(entries)


def get_processing_options(
    application: Application, terminal: Mapping[int, bytes]
) -> Dialogue[Response]:
    """GET PROCESSING OPTIONS with the PDOL filled in (EMV Book 3, 6.5.8); the raw answer.

    Raises:
        CardError: the PDOL cannot be read or filled.
    """
    pdol = dol.parse(application.objects.get(tags.PDOL_9F38, b""))
    application.pdol_data = dol.fill(pdol, terminal)
    template = encode(tags.COMMAND_TEMPLATE_83, application.pdol_data)
    return (yield Command(0x80, 0xA8, 0x00, 0x00, template))


def take_processing_options(application: Application, data: bytes) -> None:
    """Takes in the answer to GET PROCESSING OPTIONS, format 1 (80) or 2 (77).

    Raises:
        CardError: neither format, no application interchange profile, or a bad file locator.
    """
    outer = decode(data)
    if len(outer) != 1:
        raise CardError("The answer to GET PROCESSING OPTIONS is not one template.")
    (template,) = outer
    if template.tag == tags.RESPONSE_FORMAT_1_80:
        if len(template.value) < 2:
            raise CardError("The answer to GET PROCESSING OPTIONS is too short.")
        application.objects.put(tags.AIP_82, template.value[:2])
        if template.value[2:]:
            application.objects.put(tags.AFL_94, template.value[2:])
    elif template.tag == tags.RESPONSE_FORMAT_2_77:
        application.objects.add(template.children)
        application.options = template.value
    else:
        raise CardError("The answer to GET PROCESSING OPTIONS is neither format 1 nor 2.")
    aip = application.objects.need(tags.AIP_82)
    if len(aip) != 2:
        raise CardError("The application interchange profile (82) does not have two bytes.")
    application.aip = aip
    application.afl = parse_afl(application.objects.get(tags.AFL_94, b""))


def read_records(application: Application, entries: Iterable[AflEntry]) -> Dialogue[None]:
    """Reads the records and collects the static data to be authenticated (Book 3, 10.2, 10.3).

    Raises:
        CardError: a record is missing, malformed, or contradicts another.
    """
    for entry in entries:
        for number in range(entry.first, entry.last + 1):
            response = yield Command(0x00, 0xB2, number, entry.sfi << 3 | 0x04)
            if not response.ok:
                raise CardError(f"READ RECORD was answered with {response.sw:04X}.")
            signed = number - entry.first < entry.oda_records
            _take_record(application, entry.sfi, response.data, signed=signed)


def _take_record(application: Application, sfi: int, data: bytes, *, signed: bool) -> None:
    if sfi > _SFI_EMV_MAX:
        _take_issuer_record(application, data, signed=signed)
        return
    outer = decode(data)
    if len(outer) != 1 or outer[0].tag != tags.RECORD_70:
        raise CardError("A record is not one template 70.")
    for each in walk(outer[0].children):
        if each.tag in tags.CRITICAL and each.tag in application.in_records:
            # Book 3, 10.2 forbids redundancy between records, equal values or not.
            raise CardError(f"The card's records state tag {each.tag:02X} twice.")
        application.in_records.add(each.tag)
    application.objects.add(outer[0].children)
    if signed and application.static_data is not None:
        application.static_data += outer[0].value


def _take_issuer_record(application: Application, data: bytes, *, signed: bool) -> None:
    # Files 11 to 30 are the issuer's own: their content may be no TLV at all and is not used.
    # One that is to be authenticated must be a template 70 (Book 3, 10.3).
    if not signed:
        return
    if data[:1] != bytes((tags.RECORD_70,)):
        application.static_data = None
    elif application.static_data is not None:
        application.static_data += data


def static_data(application: Application) -> bytes | None:
    """The static data to be authenticated: signed records, then the AIP when 9F4A says so.

    None when it cannot be built: 9F4A may name tag 82 and nothing else (Book 3, 10.3).
    """
    tag_list = application.objects.get(tags.STATIC_DATA_TAGS_9F4A)
    if application.static_data is None or tag_list not in {None, b"", b"\x82"}:
        return None
    return application.static_data + (application.aip if tag_list else b"")
