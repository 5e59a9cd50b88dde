"""A simulated contactless payment card: C-APDU in, R-APDU out, with real cryptography.

Rules of this file: a card is deterministic. Its profile and its seed give every byte it ever
answers; it has no clock, no chance and no transport. Two kinds of payment application exist:
one gives its cryptogram in the answer to GET PROCESSING OPTIONS, as Visa's qVSDC, Discover's D-PAS
and UnionPay's quickPass do, the other on GENERATE AC, as Mastercard's M/Chip, Expresspay and
J/Speedy do. Sources: EMV Book 3, 6.5, and the card transcripts that the tests replay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from enum import Enum

from hardware_sim import ca
from hardware_sim.ber import concatenated, dol_values, tlv
from hardware_sim.issuer import (
    AIP_82,
    AMOUNT_9F02,
    ATC_9F36,
    CID_9F27,
    CRYPTOGRAM_9F26,
    CURRENCY_5F2A,
    DERIVATION_KEY_INDEX,
    IAD_9F10,
    ISSUERS,
    NO_OFFLINE_COUNTERS,
    UNPREDICTABLE_9F37,
    VERSIONS,
    application_cryptogram,
    dynamic_number,
    issuer_authentication_data,
)
from hardware_sim.personalisation import (
    DIRECTORY_SFI,
    PPSE_NAME,
    PSE_NAME,
    RECORD_70,
    SEQUENCE_5F34,
    TRACK2_57,
    Personalisation,
    contact_directory,
    named,
    personalise_all,
)
from hardware_sim.profile import Profile
from hardware_sim.status_words import (
    AUTHENTICATION_FAILED,
    NO_DATA_OBJECT,
    NO_RECORD,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_SATISFIED,
    OK,
    WRONG_CLASS,
    WRONG_DATA,
    WRONG_INSTRUCTION,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
)
from hardware_sim.wishes import Cryptogram, decided, qualifiers, requirements, verification_status
from terminal.emv.apdu import Command, Response

AFL_94 = 0x94
TTQ_9F66 = 0x9F66
CTQ_9F6C = 0x9F6C
AUTHENTICATION_DATA_9F69 = 0x9F69
REQUIREMENTS_9F71 = 0x9F71
VERIFICATION_STATUS_9F50 = 0x9F50
DRDOL_9F51 = 0x9F51
INTERCHANGE_PROFILE_9F53 = 0x9F53
TEMPLATE_80 = 0x80
SIGNATURE_9F4B = 0x9F4B
TEMPLATE_77 = 0x77


class _Stage(Enum):
    """How far the dialogue has come."""

    NOTHING = "nothing selected"
    DIRECTORY = "directory for contacts selected"
    SELECTED = "application selected"
    INITIATED = "transaction initiated"
    DONE = "cryptogram given"


class EmvCard:
    """One card in the field.

    Args:
        profile: what it is.
        seed: gives its first transaction counter and its random numbers.
    """

    def __init__(self, profile: Profile, *, seed: int = 0) -> None:
        self._profile = profile
        self._seed = seed
        self._chips = personalise_all(profile)
        self._chip = next(iter(self._chips), None)
        self._atc = int.from_bytes(self._random("first ATC", 2), "big") & 0x3FFF
        self._unlocked = False
        self._refused = False
        self._stage = _Stage.NOTHING
        self._pdol_data = b""
        self._pdol_values: Mapping[int, bytes] = {}
        self._relayed = b""
        self._torn: tuple[Mapping[int, bytes], Response] | None = None
        self._asked_issuer: Mapping[int, bytes] = {}
        self._ctq = bytes(2)

    @property
    def technology(self) -> str:
        """How it talks, for a person."""
        return self._profile.radio.technology

    @property
    def profile(self) -> Profile:
        """What it is."""
        return self._profile

    def reset(self) -> None:
        """The field goes off. A phone that has refused is unlocked by its owner meanwhile."""
        if self._refused:
            self._unlocked = True
        elif self._stage is _Stage.DONE:
            # Its owner has agreed to one payment, not to the next.
            self._unlocked = False
        self._refused = False
        self._stage = _Stage.NOTHING

    def exchange(self, command: bytes) -> bytes:
        """Answers one C-APDU. Never raises for what the terminal sends."""
        try:
            parsed = Command.decode(command)
        except ValueError:
            return Response(b"", WRONG_LENGTH).encode()
        return self._answer(parsed).encode()

    def _answer(self, command: Command) -> Response:
        commands: Mapping[int, tuple[int, Callable[[Command, Personalisation], Response]]] = {
            0xA4: (0x00, self._select),
            0xB2: (0x00, self._read_record),
            0xA8: (0x80, self._get_processing_options),
            0xAE: (0x80, self._generate_ac),
            0xEA: (0x80, self._exchange_relay_resistance_data),
            0xD0: (0x80, self._recover_ac),
            0x82: (0x00, self._external_authenticate),
            0xCA: (0x80, self._get_data),
        }
        if command.cla not in {0x00, 0x80}:
            return Response(b"", WRONG_CLASS)
        cla, handler = commands.get(command.ins, (None, None))
        if handler is None or (self._chip is None and command.ins != 0xA4):
            return Response(b"", WRONG_INSTRUCTION)
        if command.cla != cla:
            return Response(b"", WRONG_CLASS)
        if self._chip is None:
            return Response(b"", NOT_FOUND)
        return handler(command, self._chip)

    def _select(self, command: Command, chip: Personalisation) -> Response:
        if command.p1 != 0x04 or command.p2 not in {0x00, 0x02}:
            return Response(b"", WRONG_PARAMETERS)
        name = command.data
        if name == PPSE_NAME and command.p2 == 0x00:
            self._stage = _Stage.NOTHING
            return Response(chip.ppse, OK) if chip.ppse else Response(b"", NOT_FOUND)
        if name == PSE_NAME and command.p2 == 0x00:
            self._stage = _Stage.DIRECTORY
            return Response(contact_directory(self._chips)[0], OK)
        after = self._chip if command.p2 == 0x02 else None
        found = named(self._chips, name, after=after)
        if found is None:
            return Response(b"", NOT_FOUND)
        self._chip = found
        self._stage = _Stage.SELECTED
        return Response(found.fci, OK)

    def _read_record(self, command: Command, chip: Personalisation) -> Response:
        if self._stage is _Stage.DIRECTORY and command.p2 == DIRECTORY_SFI << 3 | 0x04:
            first = command.p1 == 1
            record = contact_directory(self._chips)[1]
            return Response(record, OK) if first else Response(b"", NO_RECORD)
        if self._stage not in {_Stage.INITIATED, _Stage.DONE}:
            return Response(b"", NOT_SATISFIED)
        if command.p2 & 0x07 != 0x04:
            return Response(b"", WRONG_PARAMETERS)
        sfi, number = command.p2 >> 3, command.p1
        if sfi not in {each for each, _ in chip.records}:
            return Response(b"", NOT_FOUND)
        objects = chip.records.get((sfi, number))
        if objects is None:
            return Response(b"", NO_RECORD)
        fast_dda = chip.application.flow == "gpo" and chip.application.keys != "Discover"
        if (sfi, number) == chip.last_record and fast_dda and chip.key is not None:
            objects = {**objects, AUTHENTICATION_DATA_9F69: self._authentication_data()}
        return Response(chip.application.spoiled_record(tlv(RECORD_70, concatenated(objects))), OK)

    def _get_data(self, command: Command, chip: Personalisation) -> Response:
        del chip
        if command.p1 << 8 | command.p2 != ATC_9F36:
            return Response(b"", NO_DATA_OBJECT)
        return Response(tlv(ATC_9F36, self._atc.to_bytes(2, "big")), OK)

    def _get_processing_options(self, command: Command, chip: Personalisation) -> Response:
        if self._stage is not _Stage.SELECTED or self._atc == 0xFFFF:
            return Response(b"", NOT_SATISFIED)
        if command.p1 or command.p2:
            return Response(b"", WRONG_PARAMETERS)
        if len(command.data) < 2 or command.data[1] != len(command.data) - 2:
            return Response(b"", WRONG_LENGTH)
        if command.data[0] != 0x83:
            return Response(b"", WRONG_DATA)
        values = dol_values(chip.application.pdol, command.data[2:])
        if values is None:
            return Response(b"", WRONG_LENGTH)
        if chip.application.has_error("refuses-sale"):
            return Response(b"", NOT_SATISFIED)
        if self._profile.behaviour.locked and not self._unlocked:
            self._refused = True
            return Response(b"", NOT_ALLOWED)
        self._pdol_data, self._pdol_values = command.data[2:], values
        self._relayed = b""
        if chip.application.flow == "gpo":
            return self._pay_at_once(chip, values)
        self._atc += 1
        self._stage = _Stage.INITIATED
        objects = {AIP_82: chip.application.aip, AFL_94: chip.afl_signed}
        return Response(tlv(TEMPLATE_77, concatenated(objects)), OK)

    def _pay_at_once(self, chip: Personalisation, values: Mapping[int, bytes]) -> Response:
        """The answer that holds the cryptogram, laid out as proxmark3 and Hu's kernel read it."""
        reader = values[TTQ_9F66]
        if not reader[0] & 0x20:
            # The reader does not speak this application's contactless protocol.
            return Response(b"", NOT_SATISFIED)
        self._atc += 1
        self._stage = _Stage.DONE
        self._ctq = qualifiers(self._profile.behaviour.cvm, reader)
        kind = decided(self._profile.behaviour.decision, online_only=bool(reader[1] & 0x80))
        combined = chip.application.keys == "Discover"
        wish = {REQUIREMENTS_9F71: requirements(self._ctq)} if combined else {CTQ_9F6C: self._ctq}
        objects = self._cryptogram(chip, kind, values)
        objects |= {
            AIP_82: chip.application.aip,
            TRACK2_57: chip.account.track2,
            SEQUENCE_5F34: bytes.fromhex(f"{chip.account.sequence:02d}"),
            **wish,
            **chip.application.gpo,
        }
        wanted = kind is Cryptogram.TC or (kind is Cryptogram.ARQC and reader[0] & 0x01)
        if chip.key is not None and wanted:
            objects[AFL_94] = chip.afl_signed
            if combined:
                signature = self._signed_cryptogram(chip, objects, b"", values)
            else:
                hashed = values[UNPREDICTABLE_9F37] + values[AMOUNT_9F02] + values[CURRENCY_5F2A]
                # The ICC dynamic number of fast DDA is the ATC, after its length.
                dynamic = b"\x02" + self._atc.to_bytes(2, "big")
                hashed += self._authentication_data()
                signature = chip.signature(dynamic, hashed)
            objects[SIGNATURE_9F4B] = signature
        elif chip.application.signs == "static" and wanted:
            objects[AFL_94] = chip.afl_signed
        return Response(tlv(TEMPLATE_77, concatenated(objects)), OK)

    def _generate_ac(self, command: Command, chip: Personalisation) -> Response:
        if self._stage is not _Stage.INITIATED or chip.application.flow != "generate-ac":
            return Response(b"", NOT_SATISFIED)
        if command.p2 or command.p1 & 0x2F or command.p1 & 0xC0 == 0xC0:
            return Response(b"", WRONG_PARAMETERS)
        values = dol_values(chip.application.cdol1, command.data)
        if values is None:
            return Response(b"", WRONG_LENGTH)
        self._stage = _Stage.DONE
        asked = Cryptogram(command.p1 & 0xC0)
        kind = asked
        if asked is not Cryptogram.AAC:
            kind = decided(self._profile.behaviour.decision, online_only=asked is Cryptogram.ARQC)
        objects = self._cryptogram(chip, kind, values)
        if chip.application.keys == "JCB":
            stated = self._pdol_values.get(INTERCHANGE_PROFILE_9F53, b"\0")
            cvm = self._profile.behaviour.cvm
            objects[VERIFICATION_STATUS_9F50] = verification_status(cvm, stated)
        if chip.key is not None and command.p1 & 0x10 and kind is not Cryptogram.AAC:
            # The cryptogram is inside the signature and not beside it (EMV Book 2, 6.6.1).
            shown = {tag: value for tag, value in objects.items() if tag != CRYPTOGRAM_9F26}
            signed = {**values, CRYPTOGRAM_9F26: objects[CRYPTOGRAM_9F26]}
            signature = self._signed_cryptogram(chip, shown, command.data, signed)
            objects = {**shown, SIGNATURE_9F4B: signature}
        answer = Response(tlv(TEMPLATE_77, concatenated(objects)), OK)
        self._torn = (values, answer)
        return answer

    def _signed_cryptogram(
        self,
        chip: Personalisation,
        shown: Mapping[int, bytes],
        cdol_data: bytes,
        values: Mapping[int, bytes],
    ) -> bytes:
        """The signature that holds the cryptogram and covers what is shown (Book 2, 6.6.1)."""
        assert chip.key is not None
        number = dynamic_number(chip.master_key, shown[ATC_9F36])
        dynamic = (
            bytes((len(number),))
            + number
            + shown[CID_9F27]
            + (values.get(CRYPTOGRAM_9F26) or shown[CRYPTOGRAM_9F26])
            + ca.transaction_hash(self._pdol_data + cdol_data + concatenated(shown))
            + self._relayed
        )
        return chip.signature(dynamic, values[UNPREDICTABLE_9F37])

    def _exchange_relay_resistance_data(self, command: Command, chip: Personalisation) -> Response:
        """The layout is that of emv-card-simulator: entropy, shortest, longest, on the air."""
        if not chip.application.aip[1] & 0x01 or chip.application.flow != "generate-ac":
            return Response(b"", WRONG_INSTRUCTION)
        if self._stage is not _Stage.INITIATED:
            return Response(b"", NOT_SATISFIED)
        if len(command.data) != 4:
            return Response(b"", WRONG_LENGTH)
        stated = self._random(f"entropy {self._atc}", 4) + chip.application.relay
        self._relayed = command.data + stated
        return Response(tlv(TEMPLATE_80, stated), OK)

    def _recover_ac(self, command: Command, chip: Personalisation) -> Response:
        """The last cryptogram once more, for a reader that knows what it was made for."""
        drdol = chip.application.record.get(DRDOL_9F51)
        if drdol is None:
            return Response(b"", WRONG_INSTRUCTION)
        values = dol_values(drdol, command.data)
        if values is None:
            return Response(b"", WRONG_LENGTH)
        if self._stage is not _Stage.INITIATED or self._torn is None:
            return Response(b"", NOT_SATISFIED)
        made_for, answer = self._torn
        if not values.items() <= made_for.items():
            return Response(b"", NOT_SATISFIED)
        self._stage = _Stage.DONE
        return answer

    def _external_authenticate(self, command: Command, chip: Personalisation) -> Response:
        """Whether the issuer's answer to the last cryptogram is the issuer's (EMV Book 2, 8.2)."""
        if self._stage is _Stage.NOTHING or not self._asked_issuer:
            return Response(b"", NOT_SATISFIED)
        keys, account = ISSUERS[chip.application.keys], chip.account
        expected = {
            issuer_authentication_data(
                keys, account.pan, account.sequence, self._asked_issuer, code
            )
            for code in ("00", "05")
        }
        return Response(b"", OK if command.data in expected else AUTHENTICATION_FAILED)

    def _cryptogram(
        self, chip: Personalisation, kind: Cryptogram, values: Mapping[int, bytes]
    ) -> dict[int, bytes]:
        application = chip.application
        atc = self._atc.to_bytes(2, "big")
        # Bits 8 and 7: a second cryptogram was not asked for. Bits 6 and 5: the kind of this one.
        verdict = 0x80 | kind.value >> 2
        head = bytes((DERIVATION_KEY_INDEX, application.cvn))
        if application.keys == "Mastercard":
            number = dynamic_number(chip.master_key, atc)[:2]
            iad = head + bytes((verdict, 0, 0, 0, 0, 0)) + number + NO_OFFLINE_COUNTERS
        else:
            iad = b"\x06" + head + bytes((3, verdict, 0, 0))
        data = {**values, AIP_82: application.aip, ATC_9F36: atc, IAD_9F10: iad}
        version = VERSIONS[application.keys][application.cvn]
        if application.has_error("bad-cryptogram"):
            # What the card tells the terminal is right; what it proves to the issuer is not.
            data[AMOUNT_9F02] = bytes(6)
        made = {
            CID_9F27: bytes((kind.value,)),
            ATC_9F36: atc,
            CRYPTOGRAM_9F26: application_cryptogram(version, chip.master_key, data),
            IAD_9F10: iad,
        }
        self._asked_issuer = {**data, **made}
        return made

    def _authentication_data(self) -> bytes:
        """Tag 9F69: version 01 of fast DDA, the card's unpredictable number, and 9F6C.

        UnionPay's has at least eight bytes.
        """
        stated = b"\x01" + self._random(f"card number {self._atc}", 4) + self._ctq
        unionpay = self._chip is not None and self._chip.application.keys == "UnionPay"
        return stated + b"\x00" if unionpay else stated

    def _random(self, label: str, count: int) -> bytes:
        text = f"{self._profile.id}:{self._seed}:{label}"
        return hashlib.sha256(text.encode()).digest()[:count]
