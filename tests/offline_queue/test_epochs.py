"""The key of fingerprints rotates: the same card stays one card, and the old key goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from drivers.keystore import FileKeyStore
from offline_queue.audit import Audit
from offline_queue.epochs import LONGEST_WINDOW, fingerprint_epochs, rotate_fingerprints
from terminal.card import CardData, Pan
from terminal.errors import KeyStoreError
from terminal.ledger import Numbers, Outgoing
from terminal.money import Amount
from terminal.ports import KeyStore
from terminal.tokens import TOKEN_BYTES, Binding, SealedCard, seal
from terminal.transaction import CardSummary, StoredOffline
from tests.offline_queue.sales import CARD, EUR, START, Till

VISA = CardData(
    pan=Pan("4761739001010010"),
    expiry_yymm="2812",
    sequence=1,
    track2=None,
    par="V0010013022298169667504231315",
)


class NoSealer:
    """Seals nothing: these tests look at fingerprints."""

    key_id = "00" * 8

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        return b"sealed"


def tap(till: Till, keystore: KeyStore) -> SealedCard:
    now = till.clock.now()
    binding = Binding("TAPTILL1", 1, "sale_1", "000000", Amount(1250, EUR), now)
    return seal(
        VISA,
        binding,
        sealer=NoSealer(),
        keystore=keystore,
        random=bytes(TOKEN_BYTES),
        epochs=fingerprint_epochs(till.store),
    )


def summary(sealed: SealedCard) -> CardSummary:
    return replace(
        CARD,
        fingerprint=sealed.fingerprint,
        fingerprint_epoch=sealed.fingerprint_epoch,
        par_fingerprint=sealed.par_fingerprint,
        previous_fingerprint=sealed.previous_fingerprint,
        previous_par_fingerprint=sealed.previous_par_fingerprint,
    )


def store_sale(till: Till, card: CardSummary) -> None:
    def stored(numbers: Numbers) -> tuple[StoredOffline, Outgoing]:
        event, outgoing = till.stored(numbers)
        return replace(event, card=card), outgoing

    till.journal.enqueue(till.intend().txn_id, stored)


def counted(till: Till, card: CardSummary) -> int:
    return till.journal.exposure(EUR, card).card_count


def test_a_card_across_a_rotation_is_one_card_until_the_window_is_over(
    till: Till, tmp_path: Path
) -> None:
    keystore = FileKeyStore(tmp_path / "device.key")
    first = summary(tap(till, keystore))
    assert (first.fingerprint_epoch, first.previous_fingerprint) == (1, "")
    store_sale(till, first)
    epochs = rotate_fingerprints(till.store, till.clock.now(), by="Grace")
    assert (epochs.current, epochs.previous_until) == (2, START + LONGEST_WINDOW)
    second = summary(tap(till, keystore))
    assert second.fingerprint_epoch == 2
    assert second.fingerprint != first.fingerprint
    assert second.previous_fingerprint == first.fingerprint
    assert second.previous_par_fingerprint == first.par_fingerprint
    assert counted(till, second) == 1, "the sale before the rotation counts"
    store_sale(till, second)
    assert counted(till, summary(tap(till, keystore))) == 2
    # A phone of the same account, with another number.
    assert counted(till, replace(second, fingerprint="f" * 32, previous_fingerprint="")) == 2
    till.reopen()
    assert counted(till, summary(tap(till, keystore))) == 2
    till.clock.advance(LONGEST_WINDOW.total_seconds())
    third = summary(tap(till, keystore))
    assert (third.fingerprint, third.previous_fingerprint) == (second.fingerprint, "")
    assert counted(till, third) == 1, "what the old key made is not recognised any more"


def test_the_next_rotation_waits_for_the_last_one(till: Till) -> None:
    rotate_fingerprints(till.store, till.clock.now(), by="Grace")
    till.clock.advance(timedelta(days=34).total_seconds())
    with pytest.raises(KeyStoreError, match="not long ago") as caught:
        rotate_fingerprints(till.store, till.clock.now(), by="Grace")
    assert "2026-12-28" in caught.value.remedy
    till.clock.advance(timedelta(days=1).total_seconds())
    assert rotate_fingerprints(till.store, till.clock.now(), by="Grace").current == 3
    entries = Audit(till.store).entries()
    assert [(entry.who, entry.detail["epoch"]) for entry in entries] == [("Grace", 3), ("Grace", 2)]
