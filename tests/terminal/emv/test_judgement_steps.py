"""What kernels judge before the cryptogram: certificates, risk, action codes, authentication."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.emv import oda, tags
from terminal.emv.entry_point import ActionCodes
from terminal.emv.kernels import activation as act
from terminal.emv.kernels import generate_ac
from terminal.emv.kernels.activation import AAC, ARQC, TC
from terminal.emv.kernels.cvm_list import Verification
from terminal.emv.kernels.generate_ac import Run
from terminal.emv.outcome import Cvm
from terminal.emv.risk_management import RandomSelection
from terminal.errors import AuthenticationFailed, CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import VISA
from tests.terminal.emv.steps import Values, account_of, activation

# -- the certificates --------------------------------------------------------------------------

STATIC = b""


@pytest.mark.parametrize("missing", [0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47])
def test_every_part_of_the_chain_is_needed(missing: int) -> None:
    parts: dict[int, str | bytes] = {**scheme.certificates(STATIC), 0x5A: scheme.PAN}
    parts[0x5F24] = "491231"
    whole = activation(3, parts)
    card = act.account(whole)
    assert act.card_key(whole, card).length == 128
    assert act.issuer_key(whole, card).identifier == "476173"
    for lacking in ({missing: b""}, {}):
        less = {tag: value for tag, value in parts.items() if tag != missing}
        name = tags.TAGS[missing].name
        with pytest.raises(AuthenticationFailed, match=f"the card gave no {name}"[:30]):
            act.card_key(activation(3, less | lacking), card)


def test_remainders_may_be_missing() -> None:
    parts: dict[int, str | bytes] = {**scheme.certificates(STATIC), 0x5A: scheme.PAN}
    parts[0x5F24] = "491231"
    card = act.account(activation(3, parts))
    for tag in (0x92, 0x9F48):
        less = {other: value for other, value in parts.items() if other != tag}
        with pytest.raises(AuthenticationFailed) as without:
            act.card_key(activation(3, less), card)
        with pytest.raises(AuthenticationFailed) as empty:
            act.card_key(activation(3, less | {tag: b""}), card)
        assert str(without.value) == str(empty.value)
        assert "gave no" not in str(without.value)


def test_keys_that_fit_into_their_certificates_have_no_remainder() -> None:
    ca, issuer, icc = scheme.key("large ca", 1984), scheme.key("ca", 1408), scheme.key("icc", 1024)
    head = bytes.fromhex("02476173FF12490000420101") + bytes((issuer.length, 3))
    body = head + issuer.modulus.ljust(ca.length - 36, b"\xbb")
    issuer_certificate = ca.sign(body, scheme.EXPONENT)
    head = bytes.fromhex(f"04{scheme.PAN}FFFF12490000420101") + bytes((icc.length, 3))
    body = head + icc.modulus.ljust(issuer.length - 42, b"\xbb")
    parts: dict[int, str | bytes] = {
        0x8F: "F9",
        0x90: issuer_certificate,
        0x9F32: scheme.EXPONENT,
        0x9F46: issuer.sign(body, scheme.EXPONENT),
        0x9F47: scheme.EXPONENT,
        0x5A: scheme.PAN,
        0x5F24: "491231",
    }
    keys = oda.CaKeys((oda.CaPublicKey(VISA[:5], 0xF9, ca.modulus, scheme.EXPONENT),))
    at = activation(3, parts, ca_keys=keys)
    assert act.card_key(at, act.account(at)).modulus == int.from_bytes(icc.modulus)


@pytest.mark.parametrize(
    ("kernel", "pan", "taken"),
    [
        (3, "4761739001010010", True),
        (3, "5413330089600044", False),
        (2, "5413330089600044", True),
        (2, "2223000048400011", True),
        (2, "6799990100000000019", True),
        (2, "4761739001010010", False),
    ],
)
def test_an_account_belongs_to_its_scheme(kernel: int, pan: str, *, taken: bool) -> None:
    objects: dict[int, str | bytes] = {0x5A: pan + "F" * (len(pan) % 2), 0x5F24: "491231"}
    run = activation(kernel, objects, luhn_required=False)
    if taken:
        assert act.account(run).pan.reveal() == pan
        return
    with pytest.raises(CardError, match="another scheme"):
        act.account(run)


# -- terminal action analysis ------------------------------------------------------------------

ZERO, ONES = "0000000000", "FFFFFFFFFF"
BIT = "0000004000"


# Terminal type, TVR, the terminal's denial, online and default; the issuer's; the cryptogram.
@pytest.mark.parametrize(
    ("kind", "tvr", "own", "issuer", "asked"),
    [
        (0x22, ZERO, (ONES, ONES, ONES), {}, TC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: ZERO}, TC),
        (0x22, BIT, (ZERO, BIT, ZERO), {0x9F0F: ZERO}, ARQC),
        (0x22, BIT, (BIT, ZERO, ZERO), {}, AAC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0E: BIT}, AAC),
        (0x22, "0000000002", (ZERO, ZERO, ZERO), {}, TC),
        (0x22, "0000000004", (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, "8000000000", (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "00000040"}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "000000"}, TC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "000000000040"}, TC),
        (0x21, ZERO, (ZERO, ZERO, ZERO), {}, ARQC),
        (0x21, BIT, (BIT, ZERO, ZERO), {}, AAC),
        (0x23, ZERO, (ONES, ONES, ONES), {}, TC),
        (0x23, BIT, (ZERO, ONES, ZERO), {}, AAC),
        (0x23, BIT, (ZERO, ONES, ZERO), {0x9F0D: ZERO}, TC),
        (0x23, BIT, (ZERO, ZERO, BIT), {0x9F0D: ZERO}, AAC),
    ],
)
def test_terminal_action_analysis(
    kind: int, tvr: str, own: tuple[str, str, str], issuer: dict[int, str | bytes], asked: int
) -> None:
    codes = ActionCodes(*(bytes.fromhex(code) for code in own))
    run = activation(2, issuer, {0x95: tvr}, terminal_type=kind, action_codes=codes)
    assert generate_ac.action_analysis(run) == asked


NONE = Verification(bytes.fromhex("1F0002"), Cvm.NONE)


@pytest.mark.parametrize(
    ("kind", "key", "without_cda", "asked"),
    [
        (0x22, True, False, TC),
        (0x22, False, False, ARQC),
        (0x22, False, True, TC),
        (0x23, True, False, TC),
        (0x23, False, False, AAC),
        (0x23, False, True, TC),
    ],
)
def test_an_offline_approval_needs_a_signature(
    kind: int, asked: int, *, key: bool, without_cda: bool
) -> None:
    at = activation(
        terminal_type=kind, offline_without_cda=without_cda, objects={0x9F0F: ZERO, 0x9F0D: ZERO}
    )
    run = Run(at, account_of(), key=oda.RsaPublicKey(3, 3, 1) if key else None)
    assert generate_ac.decide(run, NONE) == asked


@pytest.mark.parametrize(
    ("tvr", "byte_3", "missing", "found"),
    [
        (0, 0, False, "0000000000"),
        (0x80_00_00_00_00, 0x84, False, "8000840000"),
        (0x04_00_00_00_01, 0x40, True, "2400400001"),
    ],
)
def test_what_is_written_down_before_the_cryptogram(
    tvr: int, byte_3: int, found: str, *, missing: bool
) -> None:
    at = activation()
    verified = Verification(
        bytes.fromhex("1E0300"), Cvm.SIGNATURE, byte_3, icc_data_missing=missing
    )
    generate_ac.decide(Run(at, account_of(), tvr=tvr), verified)
    assert at.terminal[0x95].hex() == found
    assert at.terminal[0x9F34].hex() == "1e0300"


# -- risk management of a kernel ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "minor", "floor", "status_check", "tvr"),
    [
        (None, 100, 1000, False, 0),
        (None, 1000, 1000, False, 0),
        (None, 1001, 1000, False, 0x8000),
        (None, 100, 1000, True, 0x8000),
        (None, 100, None, False, 0),
        (True, 100, 1000, False, 0x10_0000_0000),
        (True, 1001, 1000, False, 0x10_0000_8000),
        (False, 100, 1000, False, 0),
    ],
)
def test_risk_management(
    listed: bool | None,  # noqa: FBT001 - a column of the table.
    minor: int,
    floor: int | None,
    tvr: int,
    *,
    status_check: bool,
) -> None:
    at = activation(minor=minor, floor_limit_minor=floor, status_check=status_check)
    if listed is not None:
        at.settings = replace(at.settings, exception_file=lambda *_: bool(listed))
    assert generate_ac.risk_management(at, account_of()) == tvr


@pytest.mark.parametrize(
    ("number", "minor", "tvr"),
    [(50, 100, 0x1000), (51, 100, 0), (None, 100, 0), (50, 1001, 0x8000)],
)
def test_a_kernel_selects_at_random(number: int | None, minor: int, tvr: int) -> None:
    at = activation(
        minor=minor,
        floor_limit_minor=1000,
        random_selection=RandomSelection(50, 50),
        asked={"random_percent": number},
    )
    assert generate_ac.risk_management(at, account_of()) == tvr


def test_a_denial_stays_a_denial_without_a_key() -> None:
    codes = ActionCodes(denial=bytes.fromhex("FFFFFFFFFF"))
    at = activation(action_codes=codes)
    assert generate_ac.decide(Run(at, account_of(), tvr=1), NONE) == AAC


# -- authentication before the cryptogram ------------------------------------------------------

CHAIN = scheme.certificates(STATIC)
SDA, DDA, CDA = "4000", "2000", "0100"


@pytest.mark.parametrize(
    ("aip", "security", "changes", "tvr", "key"),
    [
        (CDA, "08", {}, 0, True),
        (CDA, "88", {}, 0, True),
        (CDA, "80", {}, 0x80, False),
        (CDA, "00", {}, 0x80, False),
        ("4100", "88", {}, 0, True),
        (SDA, "08", {}, 0x80, False),
        (SDA, "80", {0x93: b""}, 0x62, False),
        (SDA, "80", {0x93: bytes(8)}, 0x42, False),
        (SDA, "88", {0x93: b"own"}, 0x02, False),
        (SDA, "80", {0x93: b"own", 0x90: b""}, 0x62, False),
        (DDA, "88", {}, 0x80, False),
        ("0000", "88", {}, 0x80, False),
        (CDA, "08", {0x90: b""}, 0x24, False),
        (CDA, "08", {0x9F46: b""}, 0x24, False),
        (CDA, "08", {0x90: bytes(176)}, 0x04, False),
        (CDA, "08", {0x9F46: bytes(144)}, 0x04, False),
    ],
)
def test_authentication_before_the_cryptogram(
    aip: str, security: str, changes: Values, tvr: int, *, key: bool
) -> None:
    parts: dict[int, str | bytes] = {**CHAIN, 0x5A: scheme.PAN, 0x5F24: "491231", **changes}
    if parts.get(0x93) == b"own":
        parts[0x93] = scheme.key("issuer", 1152).sign(bytes.fromhex("0301DAC0"), STATIC)
    settings = replace(scheme.settings(VISA, 3), capabilities=bytes.fromhex("0028" + security))
    at = activation(3, parts, aip=aip, settings=settings)
    run = Run(at, account_of())
    generate_ac.prepare_authentication(run)
    assert run.tvr == tvr << 32
    assert (run.key is not None) is key


@pytest.mark.parametrize(
    ("listed", "needed", "tvr"),
    [(b"\x82", True, 0), (b"", True, 0x24), (None, True, 0x24), (None, False, 0), (b"", False, 0)],
)
def test_kernel_2_wants_the_tag_list(listed: bytes | None, tvr: int, *, needed: bool) -> None:
    parts: dict[int, str | bytes] = {0x5A: scheme.PAN, 0x5F24: "491231"}
    parts |= scheme.certificates(bytes.fromhex("0100") if listed else STATIC)
    if listed is not None:
        parts[0x9F4A] = listed
    at = activation(3, parts, aip=CDA)
    run = Run(at, account_of())
    generate_ac.prepare_authentication(run, needs_tag_list=needed)
    assert run.tvr == tvr << 32


@pytest.mark.parametrize(("keys", "security"), [(True, "002888"), (False, "002800")])
def test_a_terminal_without_keys_claims_no_authentication(security: str, *, keys: bool) -> None:
    settings = replace(scheme.settings(VISA, 3, keys=keys), capabilities=bytes.fromhex("002888"))
    at = activation(3, settings=settings)
    generate_ac.announce_authentication(at)
    assert at.terminal[0x9F33].hex() == security
