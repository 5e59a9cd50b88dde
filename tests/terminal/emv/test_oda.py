"""Certificate chains and signatures of published cards, and what tampering does to them."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hardware_sim.ca import ca_public_keys
from terminal.emv import oda
from terminal.errors import AuthenticationFailed, ConfigError
from tests.conftest import require_vectors
from tests.terminal.emv import scheme
from tests.terminal.emv.replay import ca_key, load

BEFORE_EXPIRY = date(2005, 1, 1)
CHAINS = (
    "amex_a1_sda_cda",
    "lumag_dda_05",
    "lumag_sda_01",
    "mastercard_ef_cda",
    "mastercard_f3_sda_cda",
    "openemv_mastercard_f1_cda",
    "visa_92_fdda",
    "visa_live09_issuer_only",
)


def chain(name: str) -> dict[str, Any]:
    return load(require_vectors() / "emv" / "oda" / f"{name}.json")


def certificates(found: dict[str, Any]) -> oda.Certificates:
    issuer, icc = found["issuer"], found.get("icc", {})
    return oda.Certificates(
        ca_index=int(found["ca_public_key"]["index"], 16),
        issuer=bytes.fromhex(issuer["certificate_90"]),
        issuer_remainder=bytes.fromhex(issuer["remainder_92"]),
        issuer_exponent=bytes.fromhex(issuer["exponent_9F32"]),
        icc=bytes.fromhex(icc.get("certificate_9F46", "")),
        icc_remainder=bytes.fromhex(icc.get("remainder_9F48", "")),
        icc_exponent=bytes.fromhex(icc.get("exponent_9F47", "")),
    )


def issuer_of(found: dict[str, Any], *, on: date = BEFORE_EXPIRY, **trust: Any) -> oda.IssuerKey:
    keys = oda.CaKeys((ca_key(found["ca_public_key"]),), **trust)
    return oda.issuer_key(
        bytes.fromhex(found["ca_public_key"]["rid"]), certificates(found), keys, on=on
    )


def verify(found: dict[str, Any]) -> None:
    """The whole chain of a vector, and everything that its ``expected`` states."""
    expected = found["expected"]
    issuer = issuer_of(found)
    assert issuer.identifier == expected["issuer"]["issuer_identifier"].rstrip("F")
    assert issuer.serial.hex().upper() == expected["issuer"]["serial"]
    assert issuer.key.length == expected["issuer"]["key_bytes"]
    assert f"{issuer.key.modulus:0{2 * issuer.key.length}X}" == expected["issuer"]["modulus"]
    assert f"{issuer.expires:%m%y}" == expected["issuer"]["expiry_mmyy"]
    if expected["issuer"]["issuer_identifier_matches_pan"]:
        oda.check_issuer_identifier(issuer, found["pan"])
    static = bytes.fromhex(found.get("static_data", ""))
    if "sda" in expected:
        signature = bytes.fromhex(found["signed_static_application_data_93"])
        code = oda.verify_static(issuer, signature, static)
        assert code.hex().upper() == expected["sda"]["data_authentication_code_9F45"]
    if "icc" not in expected:
        return
    if "static_data" in found:
        key = oda.icc_key(issuer, certificates(found), static, pan=found["pan"], on=BEFORE_EXPIRY)
        assert f"{key.modulus:0{2 * key.length}X}" == expected["icc"]["modulus"]
    else:
        # Without the static data the card's certificate cannot be checked; its key is stated.
        modulus = bytes.fromhex(expected["icc"]["modulus"])
        exponent = int(found["icc"]["exponent_9F47"], 16)
        key = oda.RsaPublicKey(int.from_bytes(modulus), exponent, len(modulus))
    _verify_dynamic(found, key)


def _verify_dynamic(found: dict[str, Any], key: oda.RsaPublicKey) -> None:
    dynamic, expected = found["dynamic"], found["expected"]["dynamic"]
    signature = bytes.fromhex(dynamic["signed_dynamic_application_data_9F4B"])
    signed = bytes.fromhex(dynamic["terminal_dynamic_data"])
    if dynamic["method"] != "CDA" or "transaction_data" not in dynamic:
        data = oda.verify_dynamic(key, signature, signed, formats=(0x05, 0x95))
        assert data.signed_format == int(expected["signed_data_format"], 16)
        assert data.data.hex().upper() == expected["icc_dynamic_data"]
        return
    combined = oda.verify_combined(
        key,
        signature,
        unpredictable_number=signed,
        transaction_data=bytes.fromhex(dynamic["transaction_data"]),
    )
    assert combined.dynamic_number.hex().upper() == expected["icc_dynamic_number_9F4C"]
    assert combined.cryptogram_information == int(expected["cid_9F27"], 16)
    assert combined.cryptogram.hex().upper() == expected["application_cryptogram_9F26"]


@pytest.mark.parametrize("name", CHAINS)
def test_published_chain_holds(name: str) -> None:
    verify(chain(name))


def changeable(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Everything in a vector that a signature covers."""
    paths: list[tuple[str, ...]] = [
        ("issuer", "certificate_90"),
        ("issuer", "remainder_92"),
        ("issuer", "exponent_9F32"),
        ("dynamic", "signed_dynamic_application_data_9F4B"),
        ("dynamic", "terminal_dynamic_data"),
        ("dynamic", "transaction_data"),
    ]
    if "icc" in found and "static_data" in found:
        paths += [("icc", f"{name}") for name in ("certificate_9F46", "remainder_9F48")]
        paths += [("icc", "exponent_9F47"), ("static_data",)]
    if "sda" in found["expected"]:
        paths += [("signed_static_application_data_93",), ("static_data",)]
    return [
        path for path in paths if functools.reduce(lambda at, key: at.get(key, {}), path, found)
    ]


@pytest.mark.parametrize("name", CHAINS)
def test_one_changed_bit_anywhere_breaks_it(name: str) -> None:
    paths = changeable(chain(name))
    assert len(paths) >= 2
    for path in paths:
        found = chain(name)
        place = functools.reduce(operator.getitem, path[:-1], found)
        value = bytearray.fromhex(place[path[-1]])
        value[len(value) // 2] ^= 0x01
        place[path[-1]] = value.hex()
        with pytest.raises(AuthenticationFailed):
            verify(found)


def test_published_forgeries_are_rejected() -> None:
    cases = chain("openemv_mastercard_f1_negative")
    for case in cases["cases"]:
        found = chain(cases["base_case"])
        section, name = case["replace"].split(".")
        found[section][name] = case["with"]
        with pytest.raises(AuthenticationFailed):
            verify(found)


def test_rsa_recovery_like_bertlv() -> None:
    for case in chain("rsa_recovery_bertlv")["cases"]:
        modulus = bytes.fromhex(case["modulus"])
        key = oda.RsaPublicKey(int.from_bytes(modulus), int(case["exponent"], 16), len(modulus))
        assert key.recover(bytes.fromhex(case["signed"])).hex().upper() == case["recovered"]


def test_dates_and_revocation() -> None:
    found = chain("visa_92_fdda")
    issuer = issuer_of(found)
    issuer_of(found, on=issuer.expires)
    with pytest.raises(AuthenticationFailed, match="issuer certificate has expired"):
        issuer_of(found, on=date(2020, 1, 1))
    name = (bytes.fromhex("A000000003"), 0x92, issuer.serial)
    with pytest.raises(AuthenticationFailed, match="revoked"):
        issuer_of(found, revoked=frozenset({name}))
    static = bytes.fromhex(found["static_data"])
    with pytest.raises(AuthenticationFailed, match="card certificate has expired"):
        oda.icc_key(issuer, certificates(found), static, pan=found["pan"], on=date(2020, 1, 1))
    with pytest.raises(AuthenticationFailed, match="another account"):
        oda.icc_key(issuer, certificates(found), static, pan="4761739001010028", on=BEFORE_EXPIRY)
    with pytest.raises(AuthenticationFailed, match="another issuer"):
        oda.check_issuer_identifier(issuer, "5413330089600044")
    expired = ca_key(found["ca_public_key"])
    expired = oda.CaPublicKey(
        expired.rid, expired.index, expired.modulus, expired.exponent, date(2004, 12, 31)
    )
    with pytest.raises(AuthenticationFailed, match="CA key has expired"):
        oda.issuer_key(expired.rid, certificates(found), oda.CaKeys((expired,)), on=BEFORE_EXPIRY)
    with pytest.raises(AuthenticationFailed, match="no CA key 92"):
        oda.issuer_key(expired.rid, certificates(found), oda.CaKeys(), on=BEFORE_EXPIRY)


def test_issuer_keys_are_kept_and_still_checked() -> None:
    cache = oda.IssuerKeyCache(size=1)
    found, other = chain("visa_92_fdda"), chain("mastercard_f3_sda_cda")
    for each in (found, found, other, found):
        keys = oda.CaKeys((ca_key(each["ca_public_key"]),))
        rid = bytes.fromhex(each["ca_public_key"]["rid"])
        fresh = oda.issuer_key(rid, certificates(each), keys, on=BEFORE_EXPIRY)
        kept = oda.issuer_key(rid, certificates(each), keys, on=BEFORE_EXPIRY, cache=cache)
        assert kept == fresh
    with pytest.raises(AuthenticationFailed, match="expired"):
        oda.issuer_key(rid, certificates(found), keys, on=date(2030, 1, 1), cache=cache)


def test_the_oldest_issuer_key_leaves_a_full_cache() -> None:
    cache, issuer = oda.IssuerKeyCache(size=2), issuer_of(chain("visa_92_fdda"))
    for name in (b"1", b"2", b"3"):
        cache.keep(name, issuer)
    assert [cache.find(name) is not None for name in (b"1", b"2", b"3")] == [False, True, True]


def published_keys(status: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = load(require_vectors() / "emv" / "capk" / f"{status}_keys.json")[
        "keys"
    ]
    return listed


@pytest.mark.parametrize("status", ["live", "test", "unlabelled"])
def test_checksums_of_published_ca_keys(status: str) -> None:
    keys = published_keys(status)
    # EMV knows the exponents 3 and 65537; public lists hold others too.
    usable = [each for each in keys if each["exponent"] in {"03", "010001"}]
    assert len(usable) >= len(keys) - 4
    for each in usable:
        assert ca_key(each).sha1().hex().upper() == each["sha1_rid_index_modulus_exponent"]
    for each in keys:
        if each not in usable:
            with pytest.raises(ConfigError):
                ca_key(each)


def test_a_wrong_checksum_refuses_the_key() -> None:
    for path in sorted((require_vectors() / "emv" / "capk").glob("checksum_mismatch_*.json")):
        found = load(path)
        key = ca_key(found)
        assert key.sha1().hex().upper() == found["expected"]["computed_sha1"]
        if found["checksum_in_source"] != found["expected"]["computed_sha1"]:
            with pytest.raises(ConfigError, match="checksum"):
                oda.CaPublicKey(
                    key.rid,
                    key.index,
                    key.modulus,
                    key.exponent,
                    checksum=bytes.fromhex(found["checksum_in_source"]),
                )


@pytest.mark.parametrize(
    ("rid", "index", "modulus", "exponent"),
    [
        (b"\xa0", 1, b"\xff" * 64, b"\x03"),
        (b"\xa0" * 5, 256, b"\xff" * 64, b"\x03"),
        (b"\xa0" * 5, 1, b"\xff" * 63, b"\x03"),
        (b"\xa0" * 5, 1, b"\x00" + b"\xff" * 64, b"\x03"),
        (b"\xa0" * 5, 1, b"\xff" * 64, b"\x02"),
    ],
)
def test_impossible_ca_keys(rid: bytes, index: int, modulus: bytes, exponent: bytes) -> None:
    with pytest.raises(ConfigError):
        oda.CaPublicKey(rid, index, modulus, exponent)


def test_one_name_one_key() -> None:
    key = ca_key(chain("visa_92_fdda")["ca_public_key"])
    with pytest.raises(ConfigError, match="listed twice"):
        oda.CaKeys((key, key))


def test_a_newer_ca_key_takes_the_place_of_the_older_one_alone() -> None:
    first, second = ca_public_keys()[:2]
    newer = replace(first, expires=date(1999, 1, 1))
    assert newer != first
    replaced = oda.CaKeys((first, second)).replaced_by([newer])
    assert replaced.find(first.rid, first.index) == newer
    assert replaced.find(second.rid, second.index) == second
    assert len(replaced.keys) == 2


ISSUER = scheme.key("issuer", 1152)
ICC = scheme.key("icc", 1024)


def made(**changes: str) -> oda.Certificates:
    parts = scheme.certificates(b"static", **changes)
    return oda.Certificates(
        scheme.CA_INDEX,
        parts[0x90],
        parts[0x92],
        parts[0x9F32],
        parts[0x9F46],
        parts[0x9F48],
        parts[0x9F47],
    )


def opened(certificates_: oda.Certificates) -> oda.RsaPublicKey:
    on = date(2026, 3, 14)
    issuer = oda.issuer_key(scheme.VISA[:5], certificates_, scheme.ca_keys(scheme.VISA), on=on)
    return oda.icc_key(issuer, certificates_, b"static", pan=scheme.PAN, on=on)


def test_a_made_up_chain_holds() -> None:
    assert opened(made()).modulus == int.from_bytes(ICC.modulus)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"algorithm": "02"}, "algorithm that is not known"),
        ({"expiry": "1349"}, "no readable expiry"),
        ({"expiry": "FFFF"}, "no readable expiry"),
    ],
)
def test_certificates_with_honest_hashes_and_wrong_fields(
    changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(AuthenticationFailed, match=reason):
        opened(made(**changes))


def forged_icc(body: bytes, remainder: bytes, exponent: bytes) -> oda.Certificates:
    certificate = ISSUER.sign(body, remainder + exponent + b"static")
    honest = made()
    return oda.Certificates(
        honest.ca_index,
        honest.issuer,
        honest.issuer_remainder,
        honest.issuer_exponent,
        certificate,
        remainder,
        exponent,
    )


@pytest.mark.parametrize(
    ("length", "remainder", "exponent", "algorithm", "reason"),
    [
        (128, ICC.modulus[102:], "010003", "01", "exponent that EMV forbids"),
        (128, b"", "010001", "01", "incomplete"),
        (39, ICC.modulus[102:], "010001", "01", "incomplete"),
        (128, ICC.modulus[102:], "010001", "02", "algorithm that is not known"),
    ],
    ids=["exponent", "remainder", "length", "algorithm"],
)
def test_card_keys_that_are_signed_and_unusable(
    length: int, remainder: bytes, exponent: str, algorithm: str, reason: str
) -> None:
    head = bytes.fromhex(f"04{scheme.PAN}FFFF1249000042{'01'}{algorithm}") + bytes((length, 3))
    body = head + ICC.modulus[: ISSUER.length - 42]
    with pytest.raises(AuthenticationFailed, match=reason):
        opened(forged_icc(body, remainder, bytes.fromhex(exponent)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bytes((5, 2, 9)) + bytes(9), "signed dynamic data is malformed"),  # another algorithm
        (
            bytes((5, 1, 200)) + bytes(9),
            "signed dynamic data is malformed",
        ),  # more data than there is
        (bytes((5, 1, 0)), "dynamic data is malformed"),
        (bytes((5, 1, 38, 9)) + bytes(40), "dynamic data is malformed"),  # number too long
        (bytes((5, 1, 20, 8)) + bytes(40), "dynamic data is malformed"),  # no room for a hash
    ],
)
def test_signatures_over_nonsense(body: bytes, reason: str) -> None:
    key = opened(made())
    signature = ICC.sign(body, b"1234")
    with pytest.raises(AuthenticationFailed, match=reason):
        oda.verify_combined(key, signature, unpredictable_number=b"1234", transaction_data=b"")


def test_a_certificate_of_another_kind() -> None:
    head = bytes.fromhex(f"03{scheme.PAN}FFFF12490000420101") + bytes((128, 3))
    body = head + ICC.modulus[: ISSUER.length - 42]
    with pytest.raises(AuthenticationFailed, match="does not open"):
        opened(forged_icc(body, ICC.modulus[102:], bytes.fromhex("010001")))


def test_a_certificate_holds_until_the_end_of_its_month() -> None:
    certificates_, keys = made(expiry="0127"), scheme.ca_keys(scheme.VISA)
    found = oda.issuer_key(scheme.VISA[:5], certificates_, keys, on=date(2027, 1, 31))
    assert found.expires == date(2027, 1, 31)
    with pytest.raises(AuthenticationFailed, match="expired"):
        oda.issuer_key(scheme.VISA[:5], certificates_, keys, on=date(2027, 2, 1))


def test_signatures_of_another_length() -> None:
    key = opened(made())
    for wrong in (b"", bytes(127), b"\xff" * 128):
        with pytest.raises(AuthenticationFailed, match="length of its key"):
            oda.verify_dynamic(key, wrong, b"")
