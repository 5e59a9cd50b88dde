"""Sealing: the one door through which card data leaves the clear.

Rules of this file: everything that goes in is a secret and nothing that comes out is. The
envelope opens with the acquirer's private key alone and only for the sale it was made for; the
token is random and never derived from the card; the fingerprint is keyed, with a key that is
not in the ledger.

The framing of ``binding_info`` and the sealed plaintext are part of the agreement with the
acquirer, so the acquirer's side (``parse_plaintext``) stands here beside the till's.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime

from terminal.card import CardData, Pan, Track2
from terminal.errors import CardError
from terminal.money import Amount
from terminal.ports import KeyStore, Sealer

FIRST_EPOCH = 1
TOKEN_BYTES = 20
_PAD_BLOCK = 64
_SCHEMA = "taptill/card/1"


@dataclass(frozen=True, slots=True)
class Binding:
    """What an envelope is tied to: opened for any other sale, it does not open.

    ``transmitted_at`` is the sale's DE 7 moment in UTC; its year is not on the wire, so the
    binding takes month to second, as DE 7 does.
    """

    terminal_id: str
    sequence: int
    txn_id: str
    processing_code: str
    amount: Amount
    transmitted_at: datetime

    def info(self, key_id: str) -> bytes:
        """The HPKE ``info`` for this sale under the acquirer's key ``key_id``."""
        return binding_info(
            terminal_id=self.terminal_id,
            sequence=self.sequence,
            txn_id=self.txn_id,
            processing_code=self.processing_code,
            amount_minor=self.amount.minor,
            currency_number=self.amount.currency.number,
            transmitted=self.transmitted_at.strftime("%m%d%H%M%S"),
            key_id=key_id,
        )


@dataclass(frozen=True, slots=True)
class SealedCard:
    """What is left of a card: a name, a mask, a keyed fingerprint, and a box we cannot open."""

    token: str
    masked_pan: str
    fingerprint: str
    fingerprint_epoch: int
    envelope: bytes = field(repr=False)
    par_fingerprint: str = ""
    previous_fingerprint: str = ""
    previous_par_fingerprint: str = ""


def _length_prefixed(*parts: str) -> bytes:
    """Each part behind its 4-byte length, so that no two lists of parts look alike."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def binding_info(  # noqa: PLR0913 - the binding has as many parts as a sale has identities
    *,
    terminal_id: str,
    sequence: int,
    txn_id: str,
    processing_code: str,
    amount_minor: int,
    currency_number: int,
    transmitted: str,
    key_id: str,
) -> bytes:
    """The context both sides must agree on; ``transmitted`` is DE 7 as on the wire."""
    return _length_prefixed(
        "taptill/envelope/1",
        terminal_id,
        str(sequence),
        txn_id,
        processing_code,
        str(amount_minor),
        f"{currency_number:03d}",
        transmitted,
        key_id,
    )


def plaintext_of(card: CardData) -> bytes:
    """What is sealed: canonical JSON, padded so that its length says nothing about the card."""
    content: dict[str, str | int | None] = {
        "schema": _SCHEMA,
        "pan": card.pan.reveal(),
        "expiry": card.expiry_yymm,
        "sequence": card.sequence,
        "track2": card.track2.reveal() if card.track2 else None,
        "par": card.par,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return text.ljust(-(-len(text) // _PAD_BLOCK) * _PAD_BLOCK, b" ")


def parse_plaintext(plaintext: bytes) -> CardData:
    """Reads what ``plaintext_of`` wrote, at the acquirer's side.

    Raises:
        CardError: it is something else. The message holds none of it.
    """
    try:
        content = json.loads(plaintext)
        if content["schema"] != _SCHEMA:
            raise CardError("The sealed card data has a schema that is not known here.")
        return CardData(
            pan=Pan(content["pan"]),
            expiry_yymm=content["expiry"],
            sequence=content["sequence"],
            track2=Track2(content["track2"]) if content["track2"] else None,
            par=content["par"],
        )
    except (ValueError, KeyError, TypeError):
        pass
    # Raised here, outside the handler: a JSON error holds the document that it is about.
    raise CardError("The sealed card data cannot be read.")


@dataclass(frozen=True, slots=True)
class FingerprintEpochs:
    """Which keys fingerprints are made with: one, or two while the key rotates.

    ``previous_until`` is when the last sale under the key before counts for no limit any more;
    until then a card is known by both of its fingerprints.
    """

    current: int = FIRST_EPOCH
    previous_until: datetime | None = None

    def previous(self, at: datetime) -> int | None:
        """The epoch before, if sales under it still count."""
        rotating = self.previous_until is not None and at < self.previous_until
        return self.current - 1 if rotating else None


FIRST_EPOCHS = FingerprintEpochs()


def fingerprint_of(pan: Pan, keystore: KeyStore, epoch: int = FIRST_EPOCH) -> str:
    """The same card gives the same 128 bits on this till, and nobody else can compute them."""
    return _keyed("pan-fp/1", pan.reveal(), keystore, epoch)


def _keyed(kind: str, value: str, keystore: KeyStore, epoch: int) -> str:
    return keystore.mac(f"fingerprint/{epoch}", _length_prefixed(kind, value))[:16].hex()


def token_of(random: bytes) -> str:
    """A token from 160 random bits. It has letters by construction, so it is never a PAN."""
    if len(random) != TOKEN_BYTES:
        raise AssertionError("a token takes 20 random bytes")
    return "tok_" + base64.b32encode(random).decode().lower()


def seal(
    card: CardData,
    binding: Binding,
    *,
    sealer: Sealer,
    keystore: KeyStore,
    random: bytes,
    epochs: FingerprintEpochs = FIRST_EPOCHS,
) -> SealedCard:
    """Seals a card for one sale. The caller drops ``card`` on the next line.

    Raises:
        KeyStoreError: a key is missing or refused.
    """

    def prints(epoch: int | None) -> tuple[str, str]:
        """Of the card and of the account behind it, where it has one and there is an epoch."""
        if epoch is None:
            return "", ""
        account = _keyed("par-fp/1", card.par, keystore, epoch) if card.par else ""
        return fingerprint_of(card.pan, keystore, epoch), account

    fingerprint, account = prints(epochs.current)
    before, account_before = prints(epochs.previous(binding.transmitted_at))
    return SealedCard(
        token=token_of(random),
        masked_pan=card.pan.masked,
        fingerprint=fingerprint,
        fingerprint_epoch=epochs.current,
        envelope=sealer.seal(plaintext_of(card), binding.info(sealer.key_id)),
        par_fingerprint=account,
        previous_fingerprint=before,
        previous_par_fingerprint=account_before,
    )
