"""What a recorded dialogue proves of its card: application, certificates, signatures.

Rules of this file: what the file says has to fail must be refused here, and what has to hold must
be refused as soon as a byte of it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hardware_sim.conformance.capk import trusted
from hardware_sim.conformance.case import (
    Json,
    Mismatch,
    refused,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from hardware_sim.conformance.oda_chains import VALID_ON
from terminal.card import Pan
from terminal.emv import oda, tags, witness
from terminal.emv.witness import Seen
from terminal.errors import AuthenticationFailed

_FORMATS = frozenset({0x05, 0x95})


def steps_of(content: Json) -> list[witness.Step]:
    """The exchanges of a file, the frames of T=0 joined."""
    return witness.joined(
        [
            (
                None if each["command"] is None else unhex(each["command"]),
                None if each["response"] is None else unhex(each["response"]),
            )
            for each in content["exchanges"]
        ]
    )


def application_of(stated: Json, seen: Sequence[Seen]) -> Seen:
    """The stated application among those that were selected.

    Raises:
        Mismatch: none was selected under this name, or none of them is as stated.
    """
    aid = unhex(stated["aid"])
    named = [each for each in seen if aid in {each.selected, each.df_name}]
    if not named:
        raise Mismatch(f"{stated['aid']} was not selected")
    last: Mismatch | None = None
    for each in named:
        try:
            _as_stated(stated, each)
        except Mismatch as difference:
            last = difference
            continue
        return each
    assert last is not None
    raise last


def _as_stated(stated: Json, seen: Seen) -> None:
    where = stated["aid"]
    # A recording that does not have the command states no profile, and an answer may be there.
    aip = b"" if seen.inferred_options and not stated.get("aip") else seen.aip
    afl = b"" if seen.inferred_options and not stated.get("afl") else seen.afl_value
    same(f"{where}: AIP", upper(aip), stated.get("aip", ""))
    same(f"{where}: AFL", upper(afl), stated.get("afl", ""))
    if "pan" in stated:
        _account(stated, seen, where)
    if "track2" in stated:
        tracks = {upper(value) for tag in (0x57, 0x9F6B) for value in seen.objects.get(tag, [])}
        found = stated["track2"] if stated["track2"] in tracks else None
        same_account(f"{where}: track 2", found, stated["track2"])


def _account(stated: Json, seen: Seen, where: str) -> None:
    pan, found = stated["pan"], witness.accounts(seen.objects)
    named = [each for each in found if each.pan == pan]
    same_account(f"{where}: account", pan if named else None, pan)
    expiry = stated.get("expiry_yymmdd") or stated.get("expiry_yymm")
    if expiry:
        dates = {each.expiry[: len(expiry)] for each in named}
        stated_dates = seen.objects.get(tags.EXPIRY_5F24, [])
        dates |= {value.hex()[: len(expiry)] for value in stated_dates}
        require(expiry in dates, f"{where}: the expiry is another one")
    luhn = stated.get("checks", {}).get("pan_luhn")
    if luhn is not None and pan.isdecimal():
        same(f"{where}: check digit", Pan(pan).luhn_valid, luhn)


def authentication(content: Json) -> str:
    """Checks certificates and signatures of each application as stated; says which.

    Raises:
        AuthenticationFailed: something that has to hold does not.
        Mismatch: something else was recovered, or what has to fail holds.
    """
    seen = witness.read_dialogue(steps_of(content))
    used: list[Seen] = []
    done: list[str] = []
    for stated in content["expected"]["applications"]:
        found = application_of(stated, [each for each in seen if each not in used])
        used.append(found)
        if "offline_data_authentication" in stated:
            done += _authenticated(stated, found, content.get("ca_public_keys"))
    return ", ".join(done)


def _authenticated(stated: Json, seen: Seen, keys: Json) -> list[str]:
    expected = stated["offline_data_authentication"]
    chain = _certificates(seen)
    same("8F", f"{chain.ca_index:02X}", expected.get("capk_index", f"{chain.ca_index:02X}"))
    issuer = _issuer(seen, chain, expected.get("issuer_certificate", {}), keys)
    if issuer is None:
        return ["issuer certificate refused, as stated"]
    done = ["issuer certificate"]
    pan = stated.get("pan", "")
    matches = expected["issuer_certificate"].get("issuer_identifier_matches_pan")
    if matches is True:
        oda.check_issuer_identifier(issuer, pan)
    elif matches is False:
        refused(
            "another issuer's certificate",
            partial(oda.check_issuer_identifier, issuer, pan),
            by=AuthenticationFailed,
        )
        done.append("of another issuer: refused")
    static = seen.static_data()
    if "sda" in expected:
        _static(expected["sda"], seen, issuer, static)
        done.append("SDA")
    if "icc_certificate" in expected:
        key = _card(expected["icc_certificate"], chain, issuer, static, pan)
        if key is None:
            return [*done, "card certificate refused, as stated"]
        done.append("card certificate")
        done += _dynamic(expected, seen, key)
    return done


def _certificates(seen: Seen) -> oda.Certificates:
    index = seen.first(tags.CA_KEY_INDEX_8F)
    require(index, "the dialogue has no CA key index (8F)")
    return oda.Certificates(
        ca_index=index[0] if index else 0,
        issuer=seen.first(tags.ISSUER_CERTIFICATE_90) or b"",
        issuer_remainder=seen.first(tags.ISSUER_REMAINDER_92) or b"",
        issuer_exponent=seen.first(tags.ISSUER_EXPONENT_9F32) or b"",
        icc=seen.first(tags.ICC_CERTIFICATE_9F46) or b"",
        icc_remainder=seen.first(tags.ICC_REMAINDER_9F48) or b"",
        icc_exponent=seen.first(tags.ICC_EXPONENT_9F47) or b"",
    )


def _fails(stated: Json) -> bool:
    return stated.get("header_trailer_ok") is False or stated.get("hash_ok") is False


def _issuer(seen: Seen, chain: oda.Certificates, stated: Json, keys: Json) -> oda.IssuerKey | None:
    """The issuer's key by one of the listed CA keys; None where it has to be refused and was."""
    name = (seen.df_name or seen.selected)[:5]
    failed: AuthenticationFailed | None = None
    for store in trusted(keys):
        try:
            issuer = oda.issuer_key(name, chain, store, on=VALID_ON)
        except AuthenticationFailed as why:
            failed = why
            continue
        require(not _fails(stated), "the issuer certificate opens and has to be refused")
        found = {
            "issuer_identifier": issuer.identifier,
            "expiry_mmyy": f"{issuer.expires:%m%y}",
            "serial": upper(issuer.serial),
            "key_bytes": issuer.key.length,
        }
        for each, value in found.items():
            if each in stated:
                wanted = stated[each]
                wanted = wanted.rstrip("F") if each == "issuer_identifier" else wanted
                same(f"issuer {each}", value, wanted)
        return issuer
    require(_fails(stated), f"the issuer certificate is refused: {failed}")
    return None


def _static(stated: Json, seen: Seen, issuer: oda.IssuerKey, static: bytes) -> None:
    signature = seen.first(tags.SIGNED_STATIC_DATA_93) or b""
    check = partial(oda.verify_static, issuer, signature, static)
    if _fails(stated):
        refused("the static signature", check, by=AuthenticationFailed)
        return
    code = upper(check())
    same("9F45", code, stated.get("data_authentication_code", code))


def _card(
    stated: Json, chain: oda.Certificates, issuer: oda.IssuerKey, static: bytes, pan: str
) -> oda.RsaPublicKey | None:
    pan = stated.get("pan", pan)
    check = partial(oda.icc_key, issuer, chain, static, pan=pan, on=VALID_ON)
    if _fails(stated):
        refused("the card certificate", check, by=AuthenticationFailed)
        return None
    key = check()
    same("card key_bytes", key.length, stated.get("key_bytes", key.length))
    if "expiry_mmyy" in stated:
        message = issuer.key.recover(chain.icc)
        same("card expiry", message[12:14].hex(), stated["expiry_mmyy"])
    return key


def _dynamic(expected: Json, seen: Seen, key: oda.RsaPublicKey) -> list[str]:
    done = []
    if "dda" in expected:
        require(seen.authentications, "INTERNAL AUTHENTICATE is not in the dialogue")
        data, signature = seen.authentications[0]
        _signed(expected["dda"], key, signature, data)
        done.append("DDA")
    if "fdda" in expected:
        stated = expected["fdda"]
        values = witness.terminal_values(seen)
        data = b"".join(values.get(tag, b"") for tag in (0x9F37, 0x9F02, 0x5F2A))
        data += seen.first(tags.CARD_AUTHENTICATION_DATA_9F69) or b""
        same("what is signed", upper(data), stated.get("terminal_dynamic_data", upper(data)))
        _signed(stated, key, seen.first(tags.SIGNED_DYNAMIC_DATA_9F4B) or b"", data)
        done.append("fast DDA")
    if "cda" in expected:
        _combined(expected["cda"], seen, key)
        done.append("CDA")
    return done


def _signed(stated: Json, key: oda.RsaPublicKey, signature: bytes, data: bytes) -> None:
    check = partial(oda.verify_dynamic, key, signature, data, formats=_FORMATS)
    if _fails(stated):
        refused("the dynamic signature", check, by=AuthenticationFailed)
        return
    found = upper(check().data)
    same("the dynamic data", found, stated.get("icc_dynamic_data", found))
    wrong = data[:-1] + bytes((data[-1] ^ 1,)) if data else b"\1"
    refused(
        "the signature over other data",
        partial(oda.verify_dynamic, key, signature, wrong, formats=_FORMATS),
        by=AuthenticationFailed,
    )


def _combined(stated: Json, seen: Seen, key: oda.RsaPublicKey) -> None:
    require(seen.cryptograms, "GENERATE AC is not in the dialogue")
    signature = seen.first(tags.SIGNED_DYNAMIC_DATA_9F4B) or b""
    number = witness.terminal_values(seen).get(tags.UNPREDICTABLE_NUMBER_9F37, b"")

    def check() -> oda.CombinedData:
        """The first cryptogram that the signature covers: the first, else the second one."""
        failed: AuthenticationFailed | None = None
        sent = seen.pdol_data or b""
        for each in seen.cryptograms:
            sent += each.sent
            try:
                return oda.verify_combined(
                    key,
                    signature,
                    unpredictable_number=number,
                    transaction_data=sent + each.answer,
                )
            except AuthenticationFailed as why:
                failed = why
        assert failed is not None
        raise failed

    if _fails(stated) or stated.get("transaction_data_hash_ok") is False:
        refused("the combined signature", check, by=AuthenticationFailed)
        return
    found = check()
    for name, value in (
        ("icc_dynamic_number", upper(found.dynamic_number)),
        ("cid", f"{found.cryptogram_information:02X}"),
        ("application_cryptogram", upper(found.cryptogram)),
    ):
        same(name, value, stated.get(name, value))
