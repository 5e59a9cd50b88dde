"""One card in a page: its applications, what they allow, and whether its certificates hold.

Rules of this file: from a recorded dialogue (``witness``) to named values, so that a card that is
tapped and a transcript are told in the same words. Accounts are masked by ``explain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from terminal.emv import oda, tags, words
from terminal.emv.explain import masked
from terminal.emv.names import scheme_of
from terminal.emv.selection import text
from terminal.emv.witness import PPSE, PSE, Seen
from terminal.errors import AuthenticationFailed, CardError

# What is told of an application, in order; None is a heading's own rule below.
_TOLD = (
    (tags.PAN_5A, "Account (5A)"),
    (tags.TRACK_2_57, "Track 2 (57)"),
    (tags.PAN_SEQUENCE_5F34, "Sequence number (5F34)"),
    (tags.EXPIRY_5F24, "Expires (5F24)"),
    (tags.EFFECTIVE_5F25, "Effective from (5F25)"),
    (tags.ISSUER_COUNTRY_5F28, "Issuer country (5F28)"),
    (tags.LANGUAGES_5F2D, "Languages (5F2D)"),
    (tags.APPLICATION_CURRENCY_9F42, "Currency (9F42)"),
    (tags.USAGE_CONTROL_9F07, "Usage control (9F07)"),
    (tags.CVM_LIST_8E, "CVM list (8E)"),
    (tags.CTQ_9F6C, "Card transaction qualifiers (9F6C)"),
    (tags.FORM_FACTOR_9F6E, "Form factor (9F6E)"),
    (tags.PAR_9F24, "Payment account reference (9F24)"),
    (tags.ATC_9F36, "Transactions so far (9F36)"),
    (tags.CRYPTOGRAM_INFORMATION_9F27, "Cryptogram (9F27)"),
    (tags.PDOL_9F38, "Asks of the terminal (9F38)"),
    (tags.IAC_DENIAL_9F0E, "Issuer denies when (9F0E)"),
    (tags.IAC_ONLINE_9F0F, "Issuer goes online when (9F0F)"),
)
_ACTION_CODES = frozenset({tags.IAC_DENIAL_9F0E, tags.IAC_ONLINE_9F0F, tags.IAC_DEFAULT_9F0D})


@dataclass(frozen=True, slots=True)
class Told:
    """One application: a title, and named values of which each has statements."""

    title: str
    aid: str
    fields: tuple[tuple[str, str, tuple[str, ...]], ...]


def told(seen: list[Seen], ca_keys: oda.CaKeys, on: date) -> list[Told]:
    """Every application of a dialogue that was selected, directories left out."""
    directories = {PPSE, PSE}
    return [
        _one(each, ca_keys, on)
        for each in seen
        if each.selected not in directories and (each.df_name or each.objects)
    ]


def _one(seen: Seen, ca_keys: oda.CaKeys, on: date) -> Told:
    name = seen.df_name or seen.selected
    kernel, scheme = scheme_of(name)
    label = text(seen.first(tags.PREFERRED_NAME_9F12) or seen.first(tags.LABEL_50) or b"")
    by = f"kernel {kernel}" if kernel else "no public kernel"
    known = scheme or "unknown scheme"
    rows: list[tuple[str, str, tuple[str, ...]]] = [("Scheme", f"{known}, {by}", ())]
    if seen.aip:
        said = tuple(words.statements(tags.AIP_82, seen.aip))
        rows.append(("Interchange profile (82)", seen.aip.hex().upper(), said))
    if seen.afl_value:
        said = tuple(words.statements(tags.AFL_94, seen.afl_value))
        rows.append(("File locator (94)", seen.afl_value.hex().upper(), said))
    for tag, what in _TOLD:
        value = seen.first(tag)
        if value is not None:
            meaning = tags.TVR_95 if tag in _ACTION_CODES else tag
            said = tuple(words.statements(meaning, value, kernel=kernel))
            rows.append((what, masked(tag, value), said))
    iad = seen.first(tags.ISSUER_APPLICATION_DATA_9F10)
    if iad:
        parts = words.issuer_application_data(iad, scheme)
        said = tuple(
            f"{part.replace('_', ' ')}: {piece.hex().upper()}" for part, piece in parts.items()
        )
        rows.append(("Issuer's data (9F10)", iad.hex().upper(), said))
    rows += authentication(seen, ca_keys, on)
    return Told(f"{label or known} {name.hex().upper()}", name.hex().upper(), tuple(rows))


def authentication(
    seen: Seen, ca_keys: oda.CaKeys, on: date
) -> list[tuple[str, str, tuple[str, ...]]]:
    """How far the chain from the CA key to the card's key holds; no row without certificates."""
    index, certificate = seen.first(tags.CA_KEY_INDEX_8F), seen.first(tags.ISSUER_CERTIFICATE_90)
    if not index or not certificate:
        return []
    name = (seen.df_name or seen.selected)[:5]
    chain = oda.Certificates(
        index[0],
        certificate,
        seen.first(tags.ISSUER_REMAINDER_92) or b"",
        seen.first(tags.ISSUER_EXPONENT_9F32) or b"",
        seen.first(tags.ICC_CERTIFICATE_9F46) or b"",
        seen.first(tags.ICC_REMAINDER_9F48) or b"",
        seen.first(tags.ICC_EXPONENT_9F47) or b"",
    )
    key_name = f"CA key {index[0]:02X} of {name.hex().upper()}"
    try:
        issuer = oda.issuer_key(name, chain, ca_keys, on=on)
    except AuthenticationFailed as failed:
        return [("Issuer certificate (90)", "does not hold", (key_name, failed.message))]
    said = (
        key_name,
        f"issuer {issuer.identifier}",
        f"valid until {issuer.expires.isoformat()}",
        f"{8 * issuer.key.length} bits",
    )
    rows: list[tuple[str, str, tuple[str, ...]]] = [("Issuer certificate (90)", "holds", said)]
    signature = seen.first(tags.SIGNED_STATIC_DATA_93)
    if signature:
        rows.append(_static(seen, issuer, signature))
    if chain.icc:
        rows.append(_card(seen, issuer, chain, on))
    return rows


def _static(
    seen: Seen, issuer: oda.IssuerKey, signature: bytes
) -> tuple[str, str, tuple[str, ...]]:
    try:
        code = oda.verify_static(issuer, signature, seen.static_data())
    except CardError as failed:
        return "Static signature (93)", "does not hold", (failed.message,)
    return "Static signature (93)", "holds", (f"data authentication code {code.hex().upper()}",)


def _card(
    seen: Seen, issuer: oda.IssuerKey, chain: oda.Certificates, on: date
) -> tuple[str, str, tuple[str, ...]]:
    pan = (seen.first(tags.PAN_5A) or b"").hex().upper().rstrip("F")
    track = (seen.first(tags.TRACK_2_57) or b"").hex().upper().partition("D")[0]
    try:
        oda.check_issuer_identifier(issuer, pan or track)
        key = oda.icc_key(issuer, chain, seen.static_data(), pan=pan or track, on=on)
    except CardError as failed:
        return "Card certificate (9F46)", "does not hold", (failed.message,)
    return "Card certificate (9F46)", "holds", (f"{8 * key.length} bits",)
