"""Offline data authentication: certificate chains and their forgeries (``oda/*``).

Rules of this file: a chain proves something only when its tampered twins are refused too, so each
chain is verified as stated and then once more with every value changed that a signature covers.
"""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

from hardware_sim.conformance.capk import ca_key
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    kinds,
    refused,
    same,
    same_account,
    unhex,
    upper,
)
from terminal.emv import oda
from terminal.errors import AuthenticationFailed

VALID_ON = date(1995, 1, 1)
"""A day on which none of the published test cards had expired: expiry has tests of its own."""

_FORMATS = frozenset({0x05, 0x95})


def certificates(chain: Json) -> oda.Certificates:
    """What the card of a chain sends for its keys."""
    issuer, icc = chain["issuer"], chain.get("icc") or {}
    return oda.Certificates(
        ca_index=int(chain["ca_public_key"]["index"], 16),
        issuer=unhex(issuer["certificate_90"]),
        issuer_remainder=unhex(issuer.get("remainder_92")),
        issuer_exponent=unhex(issuer["exponent_9F32"]),
        icc=unhex(icc.get("certificate_9F46")),
        icc_remainder=unhex(icc.get("remainder_9F48")),
        icc_exponent=unhex(icc.get("exponent_9F47")),
    )


def _issuer(chain: Json) -> oda.IssuerKey:
    key = ca_key(chain["ca_public_key"])
    # The chain's own day, whatever the expiry of its keys: see VALID_ON.
    keys = oda.CaKeys((oda.CaPublicKey(key.rid, key.index, key.modulus, key.exponent),))
    return oda.issuer_key(key.rid, certificates(chain), keys, on=VALID_ON)


def verify(chain: Json) -> str:
    """Verifies a chain and everything that its ``expected`` states.

    Raises:
        AuthenticationFailed: a certificate or signature does not hold.
        Mismatch: it holds and gives something else than expected.
    """
    expected = chain.get("expected") or {}
    stated = expected.get("issuer") or {}
    issuer = _issuer(chain)
    _same_issuer(issuer, stated)
    pan = chain.get("pan")
    if pan and stated.get("issuer_identifier_matches_pan") is True:
        oda.check_issuer_identifier(issuer, pan)
    elif pan and stated.get("issuer_identifier_matches_pan") is False:
        refused(
            "an issuer of other accounts",
            lambda: oda.check_issuer_identifier(issuer, pan),
            by=AuthenticationFailed,
        )
    steps = ["issuer certificate"]
    static = unhex(chain.get("static_data"))
    if "signed_static_application_data_93" in chain and "sda" in expected:
        code = oda.verify_static(issuer, unhex(chain["signed_static_application_data_93"]), static)
        same("9F45", upper(code), expected["sda"]["data_authentication_code_9F45"])
        steps.append("SDA")
    if chain.get("icc"):
        steps += _card(chain, issuer)
    return ", ".join(steps)


def _same_issuer(issuer: oda.IssuerKey, stated: Json) -> None:
    found = {
        "issuer_identifier": issuer.identifier,
        "serial": upper(issuer.serial),
        "key_bytes": issuer.key.length,
        "modulus": f"{issuer.key.modulus:0{2 * issuer.key.length}X}",
        "expiry_mmyy": f"{issuer.expires:%m%y}",
    }
    for name, value in found.items():
        if name in stated:
            wanted = stated[name]
            same(f"issuer {name}", value, wanted.rstrip("F") if "identifier" in name else wanted)


def _card(chain: Json, issuer: oda.IssuerKey) -> list[str]:
    expected = (chain.get("expected") or {}).get("icc") or {}
    steps: list[str] = []
    if _fails(expected):
        check = partial(_card_key, chain, issuer, expected)
        refused("the card certificate", check, by=AuthenticationFailed)
        return ["card certificate refused, as stated"]
    if "static_data" in chain:
        key = _card_key(chain, issuer, expected)
        same("card key_bytes", key.length, expected.get("key_bytes", key.length))
        modulus = f"{key.modulus:0{2 * key.length}X}"
        same("card modulus", modulus, expected.get("modulus", modulus))
        steps.append("card certificate")
    elif expected.get("modulus"):
        # Without the static data the card's certificate cannot be checked; its key is stated.
        modulus = expected["modulus"]
        exponent = int(chain["icc"]["exponent_9F47"], 16)
        key = oda.RsaPublicKey(int(modulus, 16), exponent, len(modulus) // 2)
        steps.append("card key as stated (the source has no static data)")
    else:
        return steps
    _same_certificate(chain, issuer, expected)
    if chain.get("dynamic"):
        steps.append(_dynamic(chain, key))
    return steps


def _fails(stated: Json) -> bool:
    return stated.get("header_trailer_ok") is False or stated.get("hash_ok") is False


def _card_key(chain: Json, issuer: oda.IssuerKey, expected: Json) -> oda.RsaPublicKey:
    pan = expected.get("pan") or chain["pan"]
    static = unhex(chain.get("static_data"))
    return oda.icc_key(issuer, certificates(chain), static, pan=pan, on=VALID_ON)


def _same_certificate(chain: Json, issuer: oda.IssuerKey, expected: Json) -> None:
    """The fields of the recovered card certificate that the product doesn't keep (Book 2, 6.4)."""
    message = issuer.key.recover(unhex(chain["icc"]["certificate_9F46"]))
    found = {
        "pan": message[2:12].hex().upper().rstrip("F"),
        "expiry_mmyy": message[12:14].hex(),
        "serial": upper(message[14:17]),
        "key_bytes": message[19],
    }
    for name, value in found.items():
        if name == "pan":
            same_account("card pan", str(value), expected.get(name, value))
        elif name in expected:
            same(f"card {name}", value, expected[name])


def _dynamic(chain: Json, key: oda.RsaPublicKey) -> str:
    dynamic = chain["dynamic"]
    expected = (chain.get("expected") or {}).get("dynamic") or {}
    signature = unhex(dynamic["signed_dynamic_application_data_9F4B"])
    signed = unhex(dynamic.get("terminal_dynamic_data"))
    method = dynamic.get("method", "DDA")
    if _fails(expected):
        check = partial(oda.verify_dynamic, key, signature, signed, formats=_FORMATS)
        refused("the dynamic signature", check, by=AuthenticationFailed)
        return f"{method} refused, as stated"
    formats = (
        _FORMATS if method == "fDDA" else {5, int(expected.get("signed_data_format", "5"), 16)}
    )
    data = oda.verify_dynamic(key, signature, signed, formats=formats)
    if "signed_data_format" in expected:
        same("the format", data.signed_format, int(expected["signed_data_format"], 16))
    if "icc_dynamic_data" in expected:
        same("the dynamic data", upper(data.data), expected["icc_dynamic_data"])
    holds = expected.get("transaction_data_hash_ok", True)
    if method == "CDA" and "transaction_data" in dynamic and holds:
        combined = oda.verify_combined(
            key,
            signature,
            unpredictable_number=signed,
            transaction_data=unhex(dynamic["transaction_data"]),
        )
        found = {
            "icc_dynamic_number_9F4C": upper(combined.dynamic_number),
            "cid_9F27": f"{combined.cryptogram_information:02X}",
            "application_cryptogram_9F26": upper(combined.cryptogram),
        }
        for name, value in found.items():
            same(name, value, expected.get(name, value))
    _same_parts(data.data, expected, combined=method == "CDA")
    return str(method)


def _same_parts(data: bytes, expected: Json, *, combined: bool) -> None:
    """The dynamic data by its parts (Book 2, tables 15 and 19): number, CID, cryptogram, hash."""
    size = data[0] if data else 0
    found = {"icc_dynamic_number_9F4C": upper(data[1 : 1 + size])}
    if combined:
        rest = data[1 + size :]
        found |= {
            "cid_9F27": upper(rest[:1]),
            "application_cryptogram_9F26": upper(rest[1:9]),
            "transaction_data_hash": upper(rest[9:29]),
        }
    for name, value in found.items():
        if name in expected:
            same(name, value, expected[name])


def _covered(chain: Json) -> list[tuple[str, ...]]:
    """Everything in a chain that a signature covers."""
    paths: list[tuple[str, ...]] = [
        ("issuer", "certificate_90"),
        ("issuer", "remainder_92"),
        ("issuer", "exponent_9F32"),
        ("ca_public_key", "modulus"),
        ("dynamic", "signed_dynamic_application_data_9F4B"),
        ("dynamic", "terminal_dynamic_data"),
    ]
    expected = chain.get("expected") or {}
    if (chain.get("dynamic") or {}).get("method") == "CDA":
        paths.append(("dynamic", "transaction_data"))
    if chain.get("icc") and "static_data" in chain:
        paths += [("icc", name) for name in ("certificate_9F46", "remainder_9F48")]
        paths += [("icc", "exponent_9F47"), ("static_data",)]
    if "sda" in expected and "signed_static_application_data_93" in chain:
        paths += [("signed_static_application_data_93",), ("static_data",)]
    return [path for path in paths if _value(chain, path)]


def _value(chain: Json, path: Sequence[str]) -> Json:
    return functools.reduce(lambda at, key: (at or {}).get(key), path, chain)


def changed(chain: Json, path: Sequence[str], value: str) -> Json:
    """A copy of the chain with one value replaced."""
    twin = copy.deepcopy(chain)
    place = functools.reduce(operator.getitem, path[:-1], twin)
    place[path[-1]] = value
    return twin


def _tampered(chain: Json) -> str:
    paths = _covered(chain)
    for path in paths:
        value = bytearray.fromhex(_value(chain, path))
        value[len(value) // 2] ^= 0x01
        twin = changed(chain, path, value.hex().upper())
        refused(f"a changed {'.'.join(path)}", partial(verify, twin), by=AuthenticationFailed)
    return f"{len(paths)} changed values refused"


def _chain_cases(document: Document, _: Library) -> Iterator[Case]:
    content = document.content
    for chain in content.get("cases") or [content]:
        key = chain["ca_public_key"]
        name = f"{key['rid']} {key['index']} {(chain.get('dynamic') or {}).get('method', '')}"
        yield Case(name.rstrip(), "each certificate is recovered", partial(_held, chain))
        yield Case(
            f"{name.rstrip()}, tampered",
            "each changed value is refused",
            partial(_tampered, chain),
        )


def _held(chain: Json) -> str:
    try:
        return verify(chain)
    except AuthenticationFailed as failed:
        raise Mismatch(f"not authenticated: {failed.message}") from failed


def _forgery(document: Document, library: Library, case: Json) -> str:
    base = _base(document, library)
    path = case["replace"].split(".")
    if _value(base, path) is None:
        raise OutOfScope(f"the base case has no {case['replace']}")
    _held(base)
    twin = changed(base, path, case["with"])
    return f"refused: {refused('the forgery', lambda: verify(twin), by=AuthenticationFailed)}"


def _base(document: Document, library: Library) -> Json:
    """The chain that a forgery is made of: by its file's name, else by its source."""
    stated = document.content.get("base")
    if isinstance(stated, dict):
        return stated
    found = library.named(str(document.content.get("base_case")), document)
    if found is None:
        alike = [
            each
            for each in library.of_kind("offline_data_authentication")
            if each.source == document.source
        ]
        found = alike[0] if len(alike) == 1 else None
    if found is None:
        raise OutOfScope(f"the base case {document.content.get('base_case')!r} is not here")
    content: dict[str, Json] = found.content
    return content


def _forgery_cases(document: Document, library: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            f"{number}: another {case['replace']}",
            str(case.get("expected", "refused")),
            partial(_forgery, document, library, case),
        )


FORMATS = (
    Format(
        "offline_data_authentication",
        "Certificate chains",
        kinds("offline_data_authentication"),
        _chain_cases,
    ),
    Format(
        "offline_data_authentication_negative",
        "Forged chains",
        kinds("offline_data_authentication_negative"),
        _forgery_cases,
    ),
)
"""The formats of this file."""
