"""What a public key opens: RSA recovery and the parts of a recovered structure (``oda/*``).

Rules of this file: every byte of a structure belongs to one part, so the parts together are the
structure again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    kinds,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from terminal.emv import oda
from terminal.emv.recovered import kind_of
from terminal.emv.recovered import parts as recovered_parts


def _recovery(case: Json) -> str:
    modulus = unhex(case["modulus"])
    key = oda.RsaPublicKey(int.from_bytes(modulus), int(case["exponent"], 16), len(modulus))
    signed = unhex(case.get("signed") or case.get("certificate"))
    same("the recovered bytes", upper(key.recover(signed)), case["recovered"])
    return ""


def _recovery_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            str(case.get("name") or number),
            "RSA recovery, byte for byte",
            partial(_recovery, case),
        )


# The names that a case gives to the parts of a recovered structure, and those of the product.
_PART_NAMES = {
    "identifier (pan prefix)": "issuer identifier",
    "identifier": "issuer identifier",
    "expiry date (mmyy)": "expiry",
    "expiry date": "expiry",
    "format": "data format",
    "dynamic data length": "dynamic data length",
    "icc dynamic number length": "dynamic number length",
    "icc dynamic number": "dynamic number",
    "cryptogram information data": "cryptogram information",
    "transaction data hash code": "transaction data hash",
    "public key exponent length": "exponent length",
    "left key part": "public key",
    "data auth code": "data authentication code",
}
_DECIMAL = ("length",)


def _structure(case: Json) -> str:
    recovered = unhex(case["recovered"])
    parts = {part.name: part.value for part in recovered_parts(recovered)}
    for stated, expected in case["expected"].items():
        wanted = expected
        name = _PART_NAMES.get(stated.lower(), stated.lower())
        if name not in parts:
            # A name that is not known yet: one of the parts must still have this value.
            values = {upper(each) for each in parts.values()}
            require(wanted.upper() in values, f"no part has the value of {stated}")
            continue
        value = parts[name]
        found = str(int.from_bytes(value)) if name.endswith(_DECIMAL) else upper(value)
        if name.endswith(_DECIMAL) and not found.startswith("0"):
            wanted = expected.lstrip("0") or "0"
        if stated.lower() in {"public key", "left key part"}:
            # A key shorter than its field is padded with BB, which a source may show or not.
            require(found == wanted or found.rstrip("B") == wanted.rstrip("B"), f"{stated} differs")
        elif stated.lower() == "pan":
            same_account("the account", found.rstrip("F"), wanted.rstrip("F"))
        else:
            same(stated, found, wanted)
    require(not parts.get("padding", b"").strip(b"\xbb"), "the padding is not BB throughout")
    same("the bytes of all parts", upper(b"".join(parts.values())), upper(recovered))
    return kind_of(recovered)


def _structure_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            str(case.get("name") or number).rpartition(".")[2],
            "the parts of a recovered certificate or signature",
            partial(_structure, case),
        )


FORMATS = (
    Format("rsa_recovery", "RSA recovery", kinds("rsa_recovery"), _recovery_cases),
    Format(
        "recovered_structures",
        "Recovered structures",
        kinds("recovered_structures"),
        _structure_cases,
    ),
)
"""The formats of this file."""
