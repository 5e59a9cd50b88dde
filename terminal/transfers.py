"""Waiting for a bank transfer: the acquirer is asked, and only what it confirms is booked.

Rules of this file: as in ``terminal.tenders``. Asking moves no money and may fail as often as it
likes; a transfer that nobody has confirmed stays AWAITED, in the pending total, and is never
counted as paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from terminal.errors import ConfigError, HostError
from terminal.iso8583.messages import is_answer_to
from terminal.iso8583.transfers import (
    ARRIVED,
    OTHER_AMOUNT,
    TransferFacts,
    answers_transfers,
    compose_inquiry,
    read_inquiry,
)
from terminal.money import Amount
from terminal.sale import Ports, Rules
from terminal.tenders import confirm_transfer
from terminal.transaction import State, Transaction

BY_THE_HOST = "the acquirer"
ASK_EVERY_S = 3.0
"""A customer types a PIN into a banking app meanwhile: quicker would only load the host."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the acquirer said: the transfer as it stands now, and why it is not confirmed."""

    sale: Transaction
    note: str = ""

    @property
    def arrived(self) -> bool:
        """Whether it is paid."""
        return self.sale.state is State.APPROVED


def ask_host_about(ports: Ports, rules: Rules, sale: Transaction) -> Arrival:
    """Asks the acquirer once; what has arrived is booked.

    Raises:
        ConfigError: this acquirer cannot be asked.
        HostError: there was no good answer; nothing has changed.
        StoreError: it has arrived, and that cannot be recorded: ask again.
    """
    if not answers_transfers(rules.profile):
        raise ConfigError(
            f"The acquirer's profile {rules.profile.name} cannot be asked about transfers.",
            remedy="Look at the account, and confirm it by hand.",
        )
    if sale.state is not State.AWAITED:
        return Arrival(sale)
    at = ports.clock.now()
    request = compose_inquiry(
        rules.profile,
        TransferFacts(
            reference=sale.reference,
            amount=sale.amount,
            # As for an echo: it numbers no sale.
            stan=int(at.timestamp() * 10) % 999_999 + 1,
            at=at.replace(microsecond=0),
            zone=rules.zone,
            terminal_id=rules.terminal_id,
            merchant_id=rules.merchant_id,
        ),
    )
    answer = ports.host.exchange(
        request, is_answer=is_answer_to(rules.profile, request), timeout_s=rules.authorise_s
    )
    code, minor = read_inquiry(rules.profile, request, answer)
    if code == ARRIVED:
        return Arrival(confirm_transfer(ports, sale.txn_id, by=BY_THE_HOST))
    if code == OTHER_AMOUNT:
        came = Amount(minor, sale.amount.currency)
        return Arrival(sale, f"{came} has arrived instead of {sale.amount}: ask the customer.")
    return Arrival(sale, "It has not arrived yet.")


def await_transfer(
    ports: Ports,
    rules: Rules,
    txn_id: str,
    *,
    patience_s: float,
    pause: Callable[[float], object],
) -> Arrival:
    """Asks until it has arrived, the wait is cancelled, or patience is over.

    ``pause`` waits so many seconds, or less where it is cancelled. A host that does not answer is
    asked again; what it last said is the note.

    Raises:
        ConfigError: this acquirer cannot be asked.
        StoreError: it has arrived, and that cannot be recorded: ask again.
    """
    deadline = ports.clock.monotonic() + patience_s
    told = Arrival(ports.journal.transaction(txn_id))
    while True:
        try:
            told = ask_host_about(ports, rules, told.sale)
        except HostError as away:
            told = Arrival(told.sale, away.message)
        left_s = deadline - ports.clock.monotonic()
        if told.sale.state is not State.AWAITED or ports.cancelled() or left_s <= 0:
            return told
        pause(min(ASK_EVERY_S, left_s))
