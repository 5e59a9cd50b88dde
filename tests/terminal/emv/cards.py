"""Cards of the made-up scheme: a Visa and a Mastercard, to be changed in one thing per test."""

from __future__ import annotations

import hashlib
from typing import Any

from terminal.emv.entry_point import ActionCodes
from terminal.emv.tlv import encode
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import MASTERCARD, VISA, ScriptedCard, card, ok, settings, tlv

VISA_PDOL = "9F6604" + "9F0206" + "9F3704" + "5F2A02"
RELATED = bytes.fromhex("01A1B2C3D40000")
TRACK = f"{scheme.PAN}D2812201000000000F"


def options(**changes: str | bytes | None) -> bytes:
    """The answer to GET PROCESSING OPTIONS; a change of None leaves the object out."""
    objects: dict[int, str | bytes | None] = {
        0x82: "2000",
        0x57: TRACK,
        0x5F34: "01",
        0x9F10: "06011203A00000",
        0x9F26: "1122334455667788",
        0x9F27: "80",
        0x9F36: "0042",
        0x9F6C: "0000",
    }
    objects |= {int(name[1:], 16): value for name, value in changes.items()}
    return ok(encode(0x77, tlv({t: v for t, v in objects.items() if v is not None})))


def visa(answer: bytes | Any, records: dict[str, bytes] | None = None) -> ScriptedCard:
    return card(VISA, {"80A8": answer, **(records or {})}, pdol=VISA_PDOL)


def fast_dda(
    *, related: bytes = RELATED, format_: int = 0x05, expiry: str | None = "281231", **changes: Any
) -> ScriptedCard:
    """A card that approves offline and signs 9F37 || 9F02 || 5F2A || 9F69."""
    dated = {0x5F24: expiry} if expiry else {}
    static = tlv({0x5A: scheme.PAN} | dated | changes.pop("static", {}))
    record = encode(0x70, static)
    issuer, icc = scheme.key_records(scheme.certificates(static), x9F69=related)

    def gpo(command: bytes) -> bytes:
        amount, number, currency = command[11:17], command[17:21], command[21:23]
        signature = scheme.signed(b"\x02\x00\x42", number + amount + currency + related, format_)
        stated = {"x9F27": "40", "x94": "08010101" + "10010200", "x9F4B": signature} | changes
        return options(**stated)

    return visa(gpo, {"00B2010C": ok(record), "00B20114": issuer, "00B20214": icc})


MASTERCARD_PAN = "5413330089600044"
CDOL = "9F0206" + "9F0306" + "9F1A02" + "9505" + "5F2A02" + "9A03" + "9C01" + "9F3704" + "9F3501"
CDOL += "9F3403" + "9F3303"
NEVER_ONLINE = ActionCodes(online=bytes(5), default=bytes(5))

ISSUER_NEVER_ONLINE = {0x9F0D: bytes(5), 0x9F0E: bytes(5), 0x9F0F: bytes(5)}
Objects = dict[int, str | bytes | None]


def generated(
    kind: int, command: bytes, pdol_data: bytes, *, spoil: str = "", **changes: str | bytes | None
) -> bytes:
    """The answer to GENERATE AC in format 2; signed when CDA was asked for."""
    cdol_data = command[5:-1]
    objects: Objects = {0x9F27: bytes((kind,)), 0x9F36: "0123", 0x9F10: "0110A08001220000"}
    objects |= {int(name[1:], 16): value for name, value in changes.items()}
    stated = {tag: value for tag, value in objects.items() if value is not None}
    cryptogram = bytes.fromhex("A1A2A3A4A5A6A7A8")
    if not command[2] & 0x10 or kind == 0:
        return ok(encode(0x77, tlv(stated | {0x9F26: cryptogram})))
    over = pdol_data + cdol_data + tlv(stated)
    if spoil == "transaction":
        over += b"!"
    cid = 0x80 if spoil == "type" else kind
    dynamic = b"\x08" + bytes(range(8)) + bytes((cid,)) + cryptogram
    dynamic += hashlib.sha1(over).digest()
    signature = scheme.signed(dynamic, scheme.UNPREDICTABLE)
    if spoil != "signature":
        stated[0x9F4B] = signature
    return ok(encode(0x77, tlv(stated)))


def mastercard(
    kind: int | bytes = 0x80,
    *,
    aip: str = "1980",
    records: Objects | None = None,
    spoil: str = "",
    chain: dict[str, Any] | None = None,
    answer: dict[str, str | bytes | None] | None = None,
    pdol: str = "9F3303",
) -> ScriptedCard:
    account: Objects = {
        0x57: f"{MASTERCARD_PAN}D2812201000000000F",
        0x5A: MASTERCARD_PAN,
        0x5F24: "281231",
        0x5F25: "200101",
        0x5F28: "0250",
        0x5F34: "00",
        0x8C: CDOL,
        0x8E: "000000000000000042031E031F03",
        0x9F07: "FF00",
        0x9F08: "0002",
        0x9F42: "0978",
        0x9F4A: "82",
        **ISSUER_NEVER_ONLINE,
    }
    account |= records or {}
    static = tlv({tag: value for tag, value in account.items() if value is not None})
    parts = scheme.certificates(
        static + bytes.fromhex(aip), pan=MASTERCARD_PAN, **({"prefix": "541333FF"} | (chain or {}))
    )
    issuer, icc = scheme.key_records(parts)
    options = tlv({0x82: aip, 0x94: "08010100" + "10010101" + "18010200"})
    pdol_data = bytes.fromhex("002808")[: 3 if pdol else 0]

    def generate(command: bytes) -> bytes:
        if isinstance(kind, bytes):
            return kind
        return generated(kind, command, pdol_data, spoil=spoil, **(answer or {}))

    answers: dict[str, Any] = {
        "80A8": ok(encode(0x77, options)),
        "00B20114": ok(encode(0x70, static)),
        "00B2011C": issuer,
        "00B2021C": icc,
        "80AE": generate,
    }
    return card(MASTERCARD, answers, pdol=pdol)


def mastercard_reader(**changes: Any) -> Any:
    stated: dict[str, Any] = {
        "floor_limit_minor": 5000,
        "cvm_limit_minor": 5000,
        "action_codes": NEVER_ONLINE,
        "relay_resistance_in_tvr": False,
    }
    return settings(MASTERCARD, 2, **(stated | changes))
