"""What is written on a simulated card before it is handed out: file information and records.

Rules of this file: everything here is fixed for the life of the card and follows from its
profile alone. What changes from tap to tap is in ``card``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hardware_sim import ca
from hardware_sim.ber import concatenated, tlv
from hardware_sim.issuer import ISSUERS, icc_master_key
from hardware_sim.profile import Account, Application, Profile

PPSE_NAME = b"2PAY.SYS.DDF01"
PSE_NAME = b"1PAY.SYS.DDF01"
DIRECTORY_SFI = 1
"""The file behind the directory for contacts (EMV Book 1, 12.2)."""

TRACK2_57 = 0x57
PAN_5A = 0x5A
EXPIRY_5F24 = 0x5F24
SEQUENCE_5F34 = 0x5F34
STATIC_TAGS_9F4A = 0x9F4A
FCI_TEMPLATE_6F = 0x6F
FCI_PROPRIETARY_A5 = 0xA5
FCI_DISCRETIONARY_BF0C = 0xBF0C
ENTRY_61 = 0x61
ADF_NAME_4F = 0x4F
LABEL_50 = 0x50
PRIORITY_87 = 0x87
PDOL_9F38 = 0x9F38
CDOL1_8C = 0x8C
SIGNED_STATIC_DATA_93 = 0x93
CA_INDEX_8F = 0x8F
ISSUER_CERTIFICATE_90 = 0x90
ISSUER_REMAINDER_92 = 0x92
ISSUER_EXPONENT_9F32 = 0x9F32
CARD_CERTIFICATE_9F46 = 0x9F46
CARD_EXPONENT_9F47 = 0x9F47
CARD_REMAINDER_9F48 = 0x9F48
RECORD_70 = 0x70

_RECORD_MAX = 230
"""Leaves room for what a card adds when it is read, such as 9F69."""

CERTIFICATES_SFI = 2
STATIC_SFI = 3


@dataclass(frozen=True, slots=True)
class Personalisation:
    """A card as it leaves the factory.

    ``records`` holds the data objects of each record, by short file identifier and number;
    ``afl_static`` names the record that is signed and ``afl_signed`` that and the certificates,
    both as tag 94 has them. ``last_record`` is the last one of the certificates.
    """

    account: Account
    application: Application
    master_key: bytes = field(repr=False)
    key: ca.RsaKey | None
    ppse: bytes
    fci: bytes
    records: Mapping[tuple[int, int], Mapping[int, bytes]] = field(repr=False)
    afl_static: bytes
    afl_signed: bytes
    last_record: tuple[int, int]

    def signature(self, dynamic: bytes, hashed: bytes) -> bytes:
        """The card's signature over one transaction, unless it is one that cannot sign rightly."""
        assert self.key is not None
        signature = ca.signed_dynamic_data(self.key, dynamic, hashed)
        if self.application.has_error("bad-signature"):
            return bytes((signature[0] >> 1, *signature[1:-1], signature[-1] ^ 0x01))
        return signature


def named(
    chips: Sequence[Personalisation], name: bytes, *, after: Personalisation | None
) -> Personalisation | None:
    """The first application that begins with ``name``, or the next one ``after`` another.

    A name of less than five bytes finds none (EMV Book 1, 12.3.1).
    """
    found = [each for each in chips if len(name) >= 5 and each.application.aid.startswith(name)]
    at = found.index(after) + 1 if after in found else 0
    return found[at] if at < len(found) else None


def personalise(profile: Profile) -> Personalisation | None:
    """The first payment application of a profile, or None where it has none."""
    return next(iter(personalise_all(profile)), None)


def personalise_all(profile: Profile) -> tuple[Personalisation, ...]:
    """Every payment application of a profile, in the order of its directory (PPSE)."""
    pairs = [
        (each.account, each.application)
        for each in (profile, *profile.also)
        if each.account is not None and each.application is not None
    ]
    directory = _ppse([application for _, application in pairs])
    return tuple(_personalised(account, application, directory) for account, application in pairs)


def _personalised(account: Account, application: Application, directory: bytes) -> Personalisation:
    static = _static_record(account, application)
    records = {(STATIC_SFI, 1): static}
    # One record, and it is signed: EMV Book 3, 10.2, describes the four bytes.
    afl_static = bytes((STATIC_SFI << 3, 1, 1, int(application.signs != "no")))
    afl_signed = afl_static
    key = None
    if application.signs != "no":
        certified = _certificates(account, application, static)
        records |= certified
        last = max(number for _, number in certified)
        afl_signed += bytes((CERTIFICATES_SFI << 3, 1, last, 0))
    if application.signs == "dynamic":
        key = ca.scheme_keys(application.keys, application.key_set).card
    if application.has_error("lost-record"):
        del records[STATIC_SFI, 1]
    return Personalisation(
        account=account,
        application=application,
        master_key=icc_master_key(ISSUERS[application.keys], account.pan, account.sequence),
        key=key,
        ppse=directory,
        fci=_fci(application),
        records=records,
        afl_static=afl_static,
        afl_signed=afl_signed,
        last_record=max(each for each in records if each[0] == CERTIFICATES_SFI)
        if application.signs != "no"
        else (STATIC_SFI, 1),
    )


def _ppse(applications: Sequence[Application]) -> bytes:
    """The directory; empty when no application is listed, as on a card for contacts only."""
    listed = [each for each in applications if each.listed]
    entries = b"".join(_entry(each) for each in listed)
    if not entries:
        return b""
    directory = tlv(FCI_PROPRIETARY_A5, tlv(FCI_DISCRETIONARY_BF0C, entries))
    return tlv(FCI_TEMPLATE_6F, tlv(0x84, PPSE_NAME), directory)


def contact_directory(chips: Sequence[Personalisation]) -> tuple[bytes, bytes]:
    """The directory for contacts (EMV Book 1, 12.2): the answer to SELECT, and its one record.

    It names every application, also those that the contactless one leaves out.
    """
    proprietary = tlv(FCI_PROPRIETARY_A5, tlv(0x88, bytes((DIRECTORY_SFI,))))
    entries = b"".join(_entry(chip.application) for chip in chips)
    return tlv(FCI_TEMPLATE_6F, tlv(0x84, PSE_NAME), proprietary), tlv(RECORD_70, entries)


def _entry(application: Application) -> bytes:
    return tlv(
        ENTRY_61,
        tlv(ADF_NAME_4F, application.aid),
        tlv(LABEL_50, application.label.encode("latin-1")),
        tlv(PRIORITY_87, bytes((application.priority,))),
        concatenated(application.entry),
    )


def _fci(application: Application) -> bytes:
    objects = {
        LABEL_50: application.label.encode("latin-1"),
        PRIORITY_87: bytes((application.priority,)),
    }
    if application.pdol:
        objects[PDOL_9F38] = application.pdol
    proprietary = tlv(FCI_PROPRIETARY_A5, concatenated(objects | dict(application.fci)))
    return tlv(FCI_TEMPLATE_6F, tlv(0x84, application.aid), proprietary)


def _static_record(account: Account, application: Application) -> dict[int, bytes]:
    objects = {
        PAN_5A: bytes.fromhex(account.pan + "F" * (len(account.pan) % 2)),
        EXPIRY_5F24: _last_day(account.expiry),
        SEQUENCE_5F34: bytes.fromhex(f"{account.sequence:02d}"),
    }
    if application.flow == "generate-ac":
        objects = {TRACK2_57: account.track2, CDOL1_8C: application.cdol1} | objects
    objects |= application.record
    if application.has_error("pan-differs"):
        other = account.pan[:-2] + f"{(int(account.pan[-2:]) + 7) % 100:02d}"
        objects[PAN_5A] = bytes.fromhex(other + "F" * (len(other) % 2))
    if application.has_error("no-expiry"):
        del objects[EXPIRY_5F24]
    if application.has_error("no-track2"):
        objects.pop(TRACK2_57, None)
    if application.signs != "no":
        # The one tag that this list may hold: the AIP is signed too (EMV Book 3, 10.3).
        objects[STATIC_TAGS_9F4A] = bytes((0x82,))
    return objects


def _last_day(expiry_yymm: str) -> bytes:
    # Every month has a 28th; a card expires at the month's end, and the terminal compares months.
    return bytes.fromhex(expiry_yymm + "28")


def _certificates(
    account: Account, application: Application, static: Mapping[int, bytes]
) -> dict[tuple[int, int], dict[int, bytes]]:
    signed = concatenated(static) + application.aip
    key_set = application.key_set
    index, signer = ca.KEY_SETS[key_set], None
    expiry, serial = account.expiry, ca.CERTIFICATE_SERIAL
    if application.has_error("unknown-ca"):
        index = ca.UNKNOWN_AUTHORITY_INDEX
    if application.has_error("wrong-ca"):
        # Made by somebody whose key has the right length and the wrong factors.
        other = "Mastercard" if application.keys != "Mastercard" else "Visa"
        signer = ca.scheme_keys(other).authority
    if application.has_error("revoked-issuer"):
        serial = ca.REVOKED_SERIAL
    if application.has_error("expired-issuer"):
        expiry = "2212"
    issuer = ca.issuer_certificate(
        application.keys, account.pan, expiry, key_set=key_set, serial=serial, signer=signer
    )
    packed = _packed(
        {
            CA_INDEX_8F: bytes((index,)),
            ISSUER_CERTIFICATE_90: issuer.certificate,
            ISSUER_REMAINDER_92: issuer.remainder,
            ISSUER_EXPONENT_9F32: issuer.exponent,
        }
    )
    if application.signs == "static":
        signature = ca.signed_static_data(application.keys, signed, key_set=key_set)
        packed.append({SIGNED_STATIC_DATA_93: signature})
    else:
        card = ca.card_certificate(
            application.keys, account.pan, account.expiry, signed, key_set=key_set
        )
        packed += _packed(
            {
                CARD_CERTIFICATE_9F46: card.certificate,
                CARD_EXPONENT_9F47: card.exponent,
                CARD_REMAINDER_9F48: card.remainder,
            }
        )
    return {(CERTIFICATES_SFI, number): record for number, record in enumerate(packed, 1)}


def _packed(objects: Mapping[int, bytes]) -> list[dict[int, bytes]]:
    """The objects in as few records as hold them: an answer has 256 bytes at most."""
    packed: list[dict[int, bytes]] = [{}]
    for tag, value in objects.items():
        if packed[-1] and len(concatenated({**packed[-1], tag: value})) > _RECORD_MAX:
            packed.append({})
        packed[-1][tag] = value
    return packed
