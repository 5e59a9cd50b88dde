"""Certificate chains and signatures of published cards, and what tampering does to them."""

from __future__ import annotations

import functools
import hashlib
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


@pytest.mark.parametrize("index", [0, 255])
@pytest.mark.parametrize("size", [64, 512])
@pytest.mark.parametrize("exponent", ["03", "010001"])
def test_ca_keys_at_their_limits(index: int, size: int, exponent: str) -> None:
    key = oda.CaPublicKey(bytes(5), index, b"\xff" * size, bytes.fromhex(exponent))
    stated = replace(key, checksum=key.sha1())
    assert stated.key == oda.RsaPublicKey(256**size - 1, int(exponent, 16), size)
    with pytest.raises(ConfigError, match="64 to 512 bytes"):
        replace(key, modulus=b"\xff" * 513)
    with pytest.raises(ConfigError, match="an index of one"):
        replace(key, index=-1)


def test_no_signature_is_as_large_as_its_modulus() -> None:
    key = opened(made())
    assert len(key.recover((key.modulus - 1).to_bytes(128))) == 128
    with pytest.raises(AuthenticationFailed, match="length of its key"):
        key.recover(key.modulus.to_bytes(128))


@pytest.mark.parametrize(
    ("mmyy", "day"),
    [
        ("0127", date(2027, 1, 31)),
        ("0228", date(2028, 2, 29)),
        ("1249", date(2049, 12, 31)),
        ("1250", date(1950, 12, 31)),
        ("0699", date(1999, 6, 30)),
    ],
)
def test_the_last_day_of_a_certificate(mmyy: str, day: date) -> None:
    assert oda._last_day(bytes.fromhex(mmyy), "certificate") == day


@pytest.mark.parametrize("mmyy", ["0026", "1326", "0A26"])
def test_a_month_that_does_not_exist(mmyy: str) -> None:
    with pytest.raises(AuthenticationFailed, match="the certificate has no readable expiry"):
        oda._last_day(bytes.fromhex(mmyy), "certificate")


@pytest.mark.parametrize("length", [40, 102, 103, 128])
def test_a_key_is_as_long_as_its_certificate_says(length: int) -> None:
    left, remainder = ICC.modulus[:102], ICC.modulus[102:length]
    head = bytes.fromhex(f"04{scheme.PAN}FFFF12490000420101") + bytes((length, 3))
    found = opened(forged_icc(head + left, remainder, scheme.EXPONENT))
    assert (found.length, found.exponent) == (length, 65537)
    assert found.modulus == int.from_bytes(ICC.modulus[:length])


# The two algorithms of each certificate, one of them unknown.
@pytest.mark.parametrize("algorithms", ["0201", "0102", "0001", "0100"])
def test_an_unknown_algorithm_of_hash_or_key(algorithms: str) -> None:
    body = bytes.fromhex(f"04{scheme.PAN}FFFF1249000042{algorithms}8003") + ICC.modulus[:102]
    with pytest.raises(AuthenticationFailed, match="the card certificate uses an algorithm"):
        opened(forged_icc(body, ICC.modulus[102:], scheme.EXPONENT))
    ca, honest = scheme.key("ca", 1408), made()
    head = bytes.fromhex(f"02476173FF1249000042{algorithms}9003")
    left = ISSUER.modulus[: ca.length - 36]
    certificate = ca.sign(head + left, honest.issuer_remainder + honest.issuer_exponent)
    with pytest.raises(AuthenticationFailed, match="the issuer certificate uses an algorithm"):
        opened(replace(honest, issuer=certificate))


@pytest.mark.parametrize(
    ("identifier", "belongs"),
    [("47", False), ("476", True), ("47617390", True), ("47617391", False), ("", False)],
)
def test_an_issuer_identifier_has_three_to_eight_digits(identifier: str, *, belongs: bool) -> None:
    issuer = oda.IssuerKey(opened(made()), identifier, b"", BEFORE_EXPIRY)
    if belongs:
        oda.check_issuer_identifier(issuer, scheme.PAN)
        return
    with pytest.raises(AuthenticationFailed, match="another issuer"):
        oda.check_issuer_identifier(issuer, scheme.PAN)


def test_a_card_certificate_holds_on_its_last_day() -> None:
    parts = made(expiry="0127")
    issuer = oda.IssuerKey(
        oda.RsaPublicKey(int.from_bytes(ISSUER.modulus), 65537, ISSUER.length),
        "476173",
        b"",
        BEFORE_EXPIRY,
    )

    def key_on(day: date) -> oda.RsaPublicKey:
        return oda.icc_key(issuer, parts, b"static", pan=scheme.PAN, on=day)

    assert key_on(date(2027, 1, 31)).length == 128
    with pytest.raises(AuthenticationFailed, match="card certificate has expired"):
        key_on(date(2027, 2, 1))


def test_a_ca_key_holds_on_its_last_day() -> None:
    (key,) = scheme.ca_keys(scheme.VISA).keys
    keys = oda.CaKeys((replace(key, expires=date(2026, 3, 14)),))
    found = oda.issuer_key(scheme.VISA[:5], made(), keys, on=date(2026, 3, 14))
    assert found.identifier == "476173"


@pytest.mark.parametrize(("size", "holds"), [(102, True), (103, True), (104, False), (140, False)])
def test_dynamic_data_fits_into_its_message(size: int, *, holds: bool) -> None:
    key = opened(made())
    data = bytes(range(103))
    signature = ICC.sign(bytes((5, 1, size)) + data, b"1234")
    if holds:
        assert oda.verify_dynamic(key, signature, b"1234") == oda.DynamicData(5, data[:size])
        return
    with pytest.raises(AuthenticationFailed, match="signed dynamic data is malformed"):
        oda.verify_dynamic(key, signature, b"1234")


# The length of the card's dynamic number, and how many bytes more or fewer than needed there are.
@pytest.mark.parametrize(
    ("size", "more", "holds"),
    [
        *((1, 0, False), (2, 0, True), (8, 0, True), (9, 0, False)),
        *((8, -1, False), (8, -20, False), (8, 5, True)),
    ],
)
def test_combined_data_has_number_cryptogram_and_hash(size: int, more: int, *, holds: bool) -> None:
    number, cryptogram = bytes(range(1, size + 1)), b"ABCDEFGH"
    hashed = hashlib.sha1(b"the transaction").digest()  # EMV's own, as scheme.py says.
    data = bytes((size,)) + number + b"\x80" + cryptogram + hashed + b"\x77" * max(more, 0)
    data = data[: len(data) + min(more, 0)]
    signature = ICC.sign(bytes((5, 1, len(data))) + data, b"1234")
    asked = {"unpredictable_number": b"1234", "transaction_data": b"the transaction"}
    if holds:
        found = oda.verify_combined(opened(made()), signature, **asked)
        assert found == oda.CombinedData(number, 0x80, cryptogram, b"\x77" * more)
        return
    with pytest.raises(AuthenticationFailed, match="combined signature's dynamic data is malf"):
        oda.verify_combined(opened(made()), signature, **asked)


def test_a_known_certificate_is_not_opened_again() -> None:
    cache, keys = oda.IssuerKeyCache(), scheme.ca_keys(scheme.VISA)
    honest, on = made(), date(2026, 3, 14)
    first = oda.issuer_key(scheme.VISA[:5], honest, keys, on=on, cache=cache)
    assert oda.issuer_key(scheme.VISA[:5], honest, keys, on=on, cache=cache) is first
    # Another remainder, exponent or certificate is another name.
    for change in ("issuer_remainder", "issuer_exponent", "issuer"):
        other = replace(honest, **{change: getattr(honest, change)[:-1] + b"\x00"})
        with pytest.raises(AuthenticationFailed):
            oda.issuer_key(scheme.VISA[:5], other, keys, on=on, cache=cache)


def test_a_cache_remembers_sixty_four_issuers() -> None:
    cache, issuer = oda.IssuerKeyCache(), issuer_of(chain("visa_92_fdda"))
    for number in range(65):
        cache.keep(bytes((number,)), issuer)
    assert [number for number in range(65) if cache.find(bytes((number,))) is None] == [0]


# The first byte, the format and the last byte of a recovered message, one of them wrong.
@pytest.mark.parametrize("frame", ["6B04BC", "6A05BC", "6A04BD", "0004BC", "6A04CC"])
def test_the_frame_of_a_certificate(frame: str) -> None:
    header, format_, trailer = bytes.fromhex(frame)
    head = bytes((format_,)) + bytes.fromhex(f"{scheme.PAN}FFFF12490000420101") + bytes((128, 3))
    body, remainder = head + ICC.modulus[:102], ICC.modulus[102:]
    hashed = hashlib.sha1(body + remainder + scheme.EXPONENT + b"static").digest()
    whole = bytes((header,)) + body + hashed + bytes((trailer,))
    honest = made()
    forged = replace(honest, icc=ISSUER.raw(whole), icc_remainder=remainder)
    with pytest.raises(AuthenticationFailed, match="card certificate does not open"):
        opened(forged)


@pytest.mark.parametrize("frame", ["6B05BC", "6A06BC", "6A05BD"])
def test_the_frame_of_a_signature(frame: str) -> None:
    key = opened(made())
    header, format_, trailer = bytes.fromhex(frame)
    body = bytes((format_, 1, 2, 0xAA, 0xBB)).ljust(106, b"\xbb")
    hashed = hashlib.sha1(body + b"1234").digest()
    whole = bytes((header,)) + body + hashed + bytes((trailer,))
    with pytest.raises(AuthenticationFailed, match="dynamic data does not open"):
        oda.verify_dynamic(key, ICC.raw(whole), b"1234")
