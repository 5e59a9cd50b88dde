"""What is written on a simulated card before it is handed out: file information and records.

Rules of this file: everything here is fixed for the life of the card and follows from its
profile alone. What changes from tap to tap is in ``card``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hardware_sim import ca
from hardware_sim.ber import concatenated, tlv
from hardware_sim.issuer import ISSUERS, icc_master_key
from hardware_sim.profile import Account, Application, Profile

PPSE_NAME = b"2PAY.SYS.DDF01"

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
CA_INDEX_8F = 0x8F
ISSUER_CERTIFICATE_90 = 0x90
ISSUER_REMAINDER_92 = 0x92
ISSUER_EXPONENT_9F32 = 0x9F32
CARD_CERTIFICATE_9F46 = 0x9F46
CARD_EXPONENT_9F47 = 0x9F47
CARD_REMAINDER_9F48 = 0x9F48
RECORD_70 = 0x70

CERTIFICATES_SFI = 2
STATIC_SFI = 3


@dataclass(frozen=True, slots=True)
class Personalisation:
    """A card as it leaves the factory.

    ``records`` holds the data objects of each record, by short file identifier and number;
    ``afl_static`` names the record that is signed and ``afl_signed`` that and the certificates,
    both as tag 94 has them.
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


def personalise(profile: Profile) -> Personalisation | None:
    """The payment application of a profile, or None where it has none."""
    account, application = profile.account, profile.application
    if account is None or application is None:
        return None
    static = _static_record(account, application)
    records = {(STATIC_SFI, 1): static}
    # One record, and it is signed: EMV Book 3, 10.2, describes the four bytes.
    afl_static = bytes((STATIC_SFI << 3, 1, 1, int(application.signs)))
    afl_signed = afl_static
    key = None
    if application.signs:
        records |= _certificates(account, application, static)
        key = ca.scheme_keys(application.keys).card
        afl_signed += bytes((CERTIFICATES_SFI << 3, 1, 2, 0))
    return Personalisation(
        account=account,
        application=application,
        master_key=icc_master_key(ISSUERS[application.keys], account.pan, account.sequence),
        key=key,
        ppse=_ppse(application),
        fci=_fci(application),
        records=records,
        afl_static=afl_static,
        afl_signed=afl_signed,
    )


def _ppse(application: Application) -> bytes:
    entry = tlv(
        ENTRY_61,
        tlv(ADF_NAME_4F, application.aid),
        tlv(LABEL_50, application.label.encode("ascii")),
        tlv(PRIORITY_87, bytes((application.priority,))),
    )
    directory = tlv(FCI_PROPRIETARY_A5, tlv(FCI_DISCRETIONARY_BF0C, entry))
    return tlv(FCI_TEMPLATE_6F, tlv(0x84, PPSE_NAME), directory)


def _fci(application: Application) -> bytes:
    objects = {
        LABEL_50: application.label.encode("ascii"),
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
    if application.signs:
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
    issuer = ca.issuer_certificate(application.keys, account.pan, account.expiry)
    card = ca.card_certificate(application.keys, account.pan, account.expiry, signed)
    return {
        (CERTIFICATES_SFI, 1): {
            CA_INDEX_8F: bytes((ca.AUTHORITY_INDEX,)),
            ISSUER_CERTIFICATE_90: issuer.certificate,
            ISSUER_REMAINDER_92: issuer.remainder,
            ISSUER_EXPONENT_9F32: issuer.exponent,
        },
        (CERTIFICATES_SFI, 2): {
            CARD_CERTIFICATE_9F46: card.certificate,
            CARD_EXPONENT_9F47: card.exponent,
            CARD_REMAINDER_9F48: card.remainder,
        },
    }
