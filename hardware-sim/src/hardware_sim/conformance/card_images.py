"""Personalised cards of somebody else, with their private key (``card_images/*``).

Rules of this file: the image becomes a card that answers and signs, and our kernels pay with it.
Its certificates come from another implementation's issuer, so what holds here holds between
strangers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from hardware_sim.ber import concatenated, dol_values, tlv
from hardware_sim.conformance.capk import ca_key
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    OutOfScope,
    kinds,
    refused,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from hardware_sim.conformance.oda_chains import VALID_ON
from hardware_sim.cryptogram import common_session_key, mac
from terminal.emv import oda, tags, witness
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.application import parse_afl
from terminal.emv.entry_point import KERNELS, transact
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.relay import RelayResistance
from terminal.emv.selection import PPSE
from terminal.emv.settings import ActionCodes, Combination, ReaderSettings, TransactionRequest
from terminal.errors import AuthenticationFailed
from terminal.money import Amount, Currency

_NO_RECORD, _NOT_FOUND, _UNKNOWN = 0x6A83, 0x6A82, 0x6D00
_CARD_ENTROPY = bytes.fromhex("DEADBEEF")
_TIMING = bytes.fromhex("000000C80012")
_ELAPSED_S = 0.008


class ImageCard:
    """A card made of an image: contactless, with Visa's or Mastercard's flow."""

    technology = "image"

    def __init__(self, image: Json) -> None:
        self._image = image
        self._tags = {int(tag, 16): unhex(value) for tag, value in image["tags"].items()}
        self._records = {(r["sfi"], r["record"]): unhex(r["data"]) for r in image["records"]}
        self._modulus = int(image["icc_private_key"]["modulus"], 16)
        self._private = int(image["icc_private_key"]["private_exponent"], 16)
        self._size = len(image["icc_private_key"]["modulus"]) // 2
        self._aid = unhex(image["aid"])
        self._pdol_data = b""
        self._atc = int.from_bytes(self._tags.get(tags.ATC_9F36, b"\0\1"))
        self._relay = b""

    def exchange(self, command: bytes) -> bytes:
        """Answers one command."""
        parsed = Command.decode(command)
        answers = {
            0xA4: self._select,
            0xA8: self._options,
            0xB2: self._record,
            0xAE: self._generate,
            0xEA: self._relay_data,
            0x88: self._authenticate,
        }
        handler = answers.get(parsed.ins)
        if handler is None:
            return Response(b"", _UNKNOWN).encode()
        return handler(parsed).encode()

    def _select(self, command: Command) -> Response:
        if command.data == PPSE:
            entry = tlv(0x61, tlv(tags.ADF_NAME_4F, self._aid), tlv(tags.PRIORITY_87, b"\1"))
            listed = tlv(0xA5, tlv(0xBF0C, entry))
            return Response(tlv(0x6F, tlv(0x84, PPSE), listed), 0x9000)
        if command.data != self._aid:
            return Response(b"", _NOT_FOUND)
        return Response(unhex(self._image["fci"]), 0x9000)

    def _record(self, command: Command) -> Response:
        data = self._records.get((command.p2 >> 3, command.p1))
        return Response(b"", _NO_RECORD) if data is None else Response(data, 0x9000)

    def _options(self, command: Command) -> Response:
        self._pdol_data = command.data[2:]
        self._atc += 1
        objects = {tag: self._tags[tag] for tag in (tags.AIP_82, tags.AFL_94)}
        if "qvsdc" not in self._image:
            return Response(tlv(0x77, concatenated(objects)), 0x9000)
        values = dol_values(self._tags[tags.PDOL_9F38], self._pdol_data) or {}
        related = b"\x01" + _CARD_ENTROPY + self._tags[tags.CTQ_9F6C]
        signed = b"".join(values[tag] for tag in (0x9F37, 0x9F02, 0x5F2A)) + related
        dynamic = b"\x02" + self._atc.to_bytes(2, "big")
        objects |= {
            **self._cryptogram(0x40, b""),
            tags.TRACK_2_57: self._tags[tags.TRACK_2_57],
            tags.SIGNED_DYNAMIC_DATA_9F4B: self._sign(dynamic, signed),
            tags.CARD_AUTHENTICATION_DATA_9F69: related,
            tags.CTQ_9F6C: self._tags[tags.CTQ_9F6C],
        }
        return Response(tlv(0x77, concatenated(objects)), 0x9000)

    def _cryptogram(self, kind: int, data: bytes) -> dict[int, bytes]:
        """A cryptogram as the image says its issuer computes it (``issuer_keys``)."""
        atc, iad = self._atc.to_bytes(2, "big"), self._tags[tags.ISSUER_APPLICATION_DATA_9F10]
        key = unhex(self._image["issuer_keys"]["icc_mk_ac"])
        session = common_session_key(key, atc + bytes(6))
        made = mac(session, data + self._tags[tags.AIP_82] + atc + iad)
        return {
            tags.CRYPTOGRAM_INFORMATION_9F27: bytes((kind,)),
            tags.ATC_9F36: atc,
            tags.CRYPTOGRAM_9F26: made,
            tags.ISSUER_APPLICATION_DATA_9F10: iad,
        }

    def _relay_data(self, command: Command) -> Response:
        self._relay = command.data + _CARD_ENTROPY + _TIMING
        return Response(b"\x80\x0a" + _CARD_ENTROPY + _TIMING, 0x9000)

    def _generate(self, command: Command) -> Response:
        made = self._cryptogram(command.p1 & 0xC0, command.data)
        if not command.p1 & 0x10:
            return Response(tlv(0x77, concatenated(made)), 0x9000)
        shown = {tag: made[tag] for tag in (0x9F27, 0x9F36, 0x9F10)}
        values = dol_values(self._tags[tags.CDOL1_8C], command.data) or {}
        hashed = hashlib.sha1(  # noqa: S324 - EMV prescribes SHA-1.
            self._pdol_data + command.data + concatenated(shown)
        ).digest()
        number = b"\x08" + bytes(6) + made[tags.ATC_9F36]
        dynamic = number + made[0x9F27] + made[0x9F26] + hashed + self._relay
        shown[tags.SIGNED_DYNAMIC_DATA_9F4B] = self._sign(dynamic, values[0x9F37])
        return Response(tlv(0x77, concatenated(shown)), 0x9000)

    def _authenticate(self, command: Command) -> Response:
        dynamic = b"\x02" + self._atc.to_bytes(2, "big")
        return Response(tlv(0x80, self._sign(dynamic, command.data)), 0x9000)

    def _sign(self, dynamic: bytes, terminal_data: bytes) -> bytes:
        body = b"\x05\x01" + bytes((len(dynamic),)) + dynamic
        body = body.ljust(self._size - 22, b"\xbb")
        digest = hashlib.sha1(body + terminal_data).digest()  # noqa: S324 - EMV prescribes SHA-1.
        block = int.from_bytes(b"\x6a" + body + digest + b"\xbc")
        return pow(block, self._private, self._modulus).to_bytes(self._size, "big")


def _key(image: Json) -> tuple[oda.IssuerKey, oda.RsaPublicKey]:
    """Issuer's and card's key, through the image's own chain."""
    stated = {int(tag, 16): unhex(value) for tag, value in image["tags"].items()}
    ca = ca_key(image["test_ca_public_key"])
    chain = oda.Certificates(
        stated[tags.CA_KEY_INDEX_8F][0],
        stated[tags.ISSUER_CERTIFICATE_90],
        stated.get(tags.ISSUER_REMAINDER_92, b""),
        stated[tags.ISSUER_EXPONENT_9F32],
        stated[tags.ICC_CERTIFICATE_9F46],
        stated.get(tags.ICC_REMAINDER_9F48, b""),
        stated[tags.ICC_EXPONENT_9F47],
    )
    issuer = oda.issuer_key(ca.rid, chain, oda.CaKeys((ca,)), on=VALID_ON)
    expected = image["expected"]
    static = unhex(image["static_data"]) if "static_data" in image else _static_data(image)
    key = oda.icc_key(issuer, chain, static, pan=expected["icc_pan"], on=VALID_ON)
    message = issuer.key.recover(chain.icc)
    same("card expiry", message[12:14].hex(), expected["icc_expiry_mmyy"])
    wrong = bytes((static[0] ^ 1,)) + static[1:]
    refused(
        "changed static data",
        partial(oda.icc_key, issuer, chain, wrong, pan=expected["icc_pan"], on=VALID_ON),
        by=AuthenticationFailed,
    )
    return issuer, key


def _static_data(image: Json) -> bytes:
    """The static data to be authenticated, from the image's file locator and records."""
    stated = {int(tag, 16): unhex(value) for tag, value in image["tags"].items()}
    seen = witness.Seen(unhex(image["aid"]), aip=stated[tags.AIP_82])
    seen.afl = parse_afl(stated[tags.AFL_94])
    seen.records = {(r["sfi"], r["record"]): unhex(r["data"]) for r in image["records"]}
    seen.objects[tags.STATIC_DATA_TAGS_9F4A] = [stated.get(tags.STATIC_DATA_TAGS_9F4A, b"")]
    return seen.static_data()


def _certified(image: Json) -> str:
    expected = image["expected"]
    for name in ("issuer_certificate_hash_ok", "icc_certificate_hash_ok"):
        require(expected.get(name, True), f"the file expects {name} to be false")
    _, key = _key(image)
    private = image["icc_private_key"]
    same("the card's key", f"{key.modulus:0{2 * key.length}X}", private["modulus"])
    card = ImageCard(image)
    answer = card.exchange(Command(0x00, 0x88, 0, 0, bytes.fromhex("01020304")).encode())
    signature = answer[-2 - key.length : -2]
    found = oda.verify_dynamic(key, signature, bytes.fromhex("01020304"))
    return f"chain and DDA hold, dynamic number {upper(found.data[1:])}"


def _flow(image: Json) -> int:
    """The kernel that pays with this card: by its own description."""
    if "qvsdc" in image:
        return 3
    aip = unhex(image["tags"]["82"])
    if aip[1] & 0x80:
        return 2
    raise OutOfScope("a contact card: PIN, external authentication and a second cryptogram")


def _payment(image: Json) -> str:
    kernel = _flow(image)
    require(kernel in KERNELS, f"there is no kernel {kernel}")
    stated = image["expected"].get("transaction", {})
    day = stated.get("9A", "200724")
    request = TransactionRequest(
        Amount(
            int(stated.get("terminal_9F02", "1000")),
            Currency.of_number(int(stated.get("5F2A", "0978"))),
        ),
        datetime.strptime(day, "%y%m%d").replace(tzinfo=UTC),
        unhex(stated.get("9F37", "01234567")),
    )
    outcome = _paid(image, kernel, request, int(stated.get("9F1A", "0246")))
    online = stated.get("cid") == "80"
    wanted = Decision.ONLINE_REQUEST if online else Decision.APPROVED
    require(outcome.decision is wanted, f"{outcome.decision.value}: {outcome.reason}")
    information = upper(outcome.chip_data.get(tags.CRYPTOGRAM_INFORMATION_9F27, b""))
    same("9F27", information, stated.get("cid", information))
    require(outcome.card, "the outcome has no account")
    if outcome.card:
        same_account("the account", outcome.card.pan.reveal(), image["expected"]["icc_pan"])
    results = upper(outcome.chip_data.get(tags.CVM_RESULTS_9F34, b""))
    same("9F34", results, stated.get("cvm_results_9F34", results))
    return f"{outcome.decision.value}: {outcome.reason}"


def _paid(image: Json, kernel: int, request: TransactionRequest, country: int) -> Outcome:
    # Over its floor limit the terminal wants an online cryptogram, when the file states one.
    online = image["expected"].get("transaction", {}).get("cid") == "80"
    combination = Combination(
        unhex(image["aid"]),
        kernel,
        "test",
        ttq=bytes.fromhex("26004000"),
        floor_limit_minor=0 if online else None,
        cvm_limit_minor=None,
        action_codes=ActionCodes(bytes(5), bytes(5), bytes(5)),
        relay_resistance=RelayResistance() if kernel == 2 else None,
    )
    settings = ReaderSettings(
        country,
        (combination,),
        ca_keys=oda.CaKeys((ca_key(image["test_ca_public_key"]),)),
        luhn_required=False,
    )
    return _conversation(transact(request, settings), ImageCard(image))


def _conversation(dialogue: Dialogue[Outcome], card: ImageCard) -> Outcome:
    """The dialogue's end. The source joins long answers by T=0's 61xx, so lengths are free here."""
    try:
        command = next(dialogue)
        while True:
            answer = card.exchange(command.encode())
            sw = int.from_bytes(answer[-2:])
            command = dialogue.send(Response(answer[:-2], sw, _ELAPSED_S))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def _cases(document: Document, _: Library) -> Iterator[Case]:
    image = document.content
    name = str(image.get("card", image["aid"]))
    yield Case(f"{name}: certificates", "chain, private key and DDA", partial(_certified, image))
    yield Case(f"{name}: payment", "our kernel pays with it", partial(_payment, image))


FORMATS = (Format("card_image", "Card images", kinds("card_image"), _cases),)
"""The formats of this file."""
