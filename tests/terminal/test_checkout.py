"""One payment on a real ledger, between cards and hosts that do as the test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hardware_sim.ca import ca_public_keys
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import MessageId
from terminal.emv.settings import default_settings
from terminal.errors import (
    HostGarbled,
    HostSilent,
    HostUnreachable,
)
from terminal.ledger import Kind
from terminal.line import Answered, Failed
from terminal.ports import ForeignTag, SeveralCards, Unreadable
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.risk import Limit
from terminal.tapping import HOLD_TIME_S, REMOVAL_S
from terminal.transaction import (
    AuthorisationSent,
    Cancelled,
    CardDeclined,
    Deferred,
    FateUnknown,
    HostApproved,
    HostDeclined,
    MoneyTaken,
    RiskRefused,
    SaleIntended,
    State,
    StoredOffline,
    Transaction,
)
from tests.terminal.desk import EUR, Clock, Desk, Put, Says, card, code, fails, flawed
from tests.terminal.iso8583.sales import answer

# -- what the acquirer says ----------------------------------------------------------------------

ONLINE: dict[str, tuple[Says, State, MoneyTaken, type[object], list[Kind]]] = {
    "approved": (code("00"), State.APPROVED, MoneyTaken.YES, HostApproved, []),
    "a part": (code("10", amount_minor=900), State.APPROVED, MoneyTaken.YES, HostApproved, []),
    "declined": (code("51"), State.DECLINED, MoneyTaken.NO, HostDeclined, []),
    "not listed": (code("ZZ"), State.DECLINED, MoneyTaken.NO, HostDeclined, []),
    "too late": (
        *(code("68"), State.UNKNOWN, MoneyTaken.NOT_KNOWN),
        *(FateUnknown, [Kind.REVERSAL]),
    ),
    "silent": (
        *(fails(HostSilent("no answer")), State.UNKNOWN, MoneyTaken.NOT_KNOWN),
        *(FateUnknown, [Kind.REVERSAL]),
    ),
    "broken framing": (
        *(fails(HostGarbled("noise")), State.UNKNOWN, MoneyTaken.NOT_KNOWN),
        *(FateUnknown, [Kind.REVERSAL]),
    ),
    "unreadable": (
        *(lambda _: b"\x00\x01noise", State.UNKNOWN, MoneyTaken.NOT_KNOWN),
        *(FateUnknown, [Kind.REVERSAL]),
    ),
    "away": (
        *(fails(HostUnreachable("no line")), State.STORED, MoneyTaken.NOT_YET),
        *(Deferred, [Kind.ADVICE]),
    ),
}


@pytest.mark.parametrize("case", ONLINE)
def test_an_online_sale(desk: Desk, case: str) -> None:
    desk.host.says, state, money, last_event, queued = ONLINE[case]
    sale = desk.pay(card())
    assert (sale.state, sale.money_taken) == (state, money)
    assert desk.events(sale) == [SaleIntended, AuthorisationSent, last_event]
    assert desk.queued() == queued
    assert [type(progress) for progress in desk.seen] == [Presenting, CardRead, Authorising]
    assert len(desk.host.asked) == 1
    assert sale.card is not None
    assert sale.card.masked_pan == "•••• 0010"
    assert sale.reason == "" or state is not State.APPROVED


def test_the_sale_is_recorded_before_a_byte_leaves(desk: Desk) -> None:
    found: list[Transaction] = []

    def look(request: bytes) -> bytes:
        found.append(desk.last())
        return answer(request)

    desk.host.says = look
    desk.pay(card())
    [recorded] = found
    assert recorded.state is State.AUTHORISING
    assert recorded.rrn
    assert recorded.card is not None


def test_the_intent_is_recorded_before_a_card_is_waited_for(desk: Desk) -> None:
    found: list[State] = []

    def cancelled() -> bool:
        found.append(desk.last().state)
        return False

    desk.cancelled = cancelled
    desk.pay(card())
    assert found[0] is State.INTENDED


# -- sales that the acquirer does not see now ----------------------------------------------------


def test_a_line_that_is_known_to_be_away_is_not_tried(desk: Desk) -> None:
    desk.online = False
    sale = desk.pay(card())
    assert (sale.state, sale.reason) == (State.STORED, "The acquirer cannot be reached.")
    assert desk.events(sale) == [SaleIntended, StoredOffline]
    assert (desk.queued(), desk.host.asked) == ([Kind.ADVICE], [])
    assert [type(progress) for progress in desk.seen] == [Presenting, CardRead]


def test_a_limit_refuses_before_numbers_are_minted(desk: Desk) -> None:
    desk.online = False
    desk.limit(per_sale=1249)
    sale = desk.pay(card())
    assert (sale.state, sale.money_taken) == (State.DECLINED, MoneyTaken.NO)
    assert desk.events(sale) == [SaleIntended, RiskRefused]
    assert (sale.stan, sale.rrn, desk.queued()) == (None, "", [])
    assert sale.card is not None
    assert "at most EUR 12.49" in sale.reason


def test_a_limit_refuses_a_sale_whose_line_went(desk: Desk) -> None:
    desk.host.says = fails(HostUnreachable("no line"))
    desk.limit(count=1)
    assert desk.pay(card()).state is State.STORED
    sale = desk.pay(card())
    assert (sale.state, sale.money_taken) == (State.DECLINED, MoneyTaken.NO)
    assert desk.events(sale) == [SaleIntended, AuthorisationSent, RiskRefused]
    assert desk.queued() == [Kind.ADVICE]


def test_a_card_that_was_declined_for_good_is_not_tried_again(desk: Desk) -> None:
    desk.host.says = code("43")
    assert desk.pay(card()).state is State.DECLINED
    desk.host.says = answer
    again = desk.pay(card(), minor=99)
    assert (again.state, again.refusal) == (State.DECLINED, Limit.BLOCKED.name)
    assert "reported stolen" in again.reason
    assert desk.events(again) == [SaleIntended, RiskRefused]
    # Nothing was sent, and another card pays.
    assert len(desk.host.asked) == 1
    assert desk.pay(card("mastercard-credit")).state is State.APPROVED
    # A month later the card may have been found.
    desk.clock.passed_s += 31 * 86400
    assert desk.pay(card()).state is State.APPROVED


def test_limits_of_one_card_are_met_while_another_still_pays(desk: Desk) -> None:
    desk.online = False
    for _ in range(3):
        assert desk.pay(card(), minor=100).state is State.STORED
    fourth = desk.pay(card(), minor=100)
    assert (fourth.state, fourth.refusal) == (State.DECLINED, Limit.CARD_COUNT.name)
    assert desk.pay(card("mastercard-credit"), minor=100).state is State.STORED


def test_what_a_payment_finds_out_about_the_line_is_told(desk: Desk) -> None:
    desk.pay(card())
    desk.host.says = fails(HostUnreachable("no line"))
    desk.pay(card())
    assert desk.line == [Answered(0.0), Failed("no line")]


@pytest.mark.parametrize("online", [True, False])
def test_a_card_that_approves_offline(desk: Desk, *, online: bool) -> None:
    desk.online = online
    keys = CaKeys(ca_public_keys())
    desk.rules = replace(
        desk.rules, emv=default_settings(724, EUR, floor_limit_minor=5000, ca_keys=keys)
    )
    sale = desk.pay(card("visa-offline"))
    assert (sale.state, sale.reason) == (State.STORED, "Approved offline by the card.")
    assert (desk.queued(), desk.host.asked) == ([Kind.ADVICE], [])


def test_nothing_is_stored_once_the_acquirers_keys_have_run_out(desk: Desk) -> None:
    desk.rules = replace(desk.rules, stored_until=desk.clock.now() + timedelta(hours=1))
    desk.online = False
    assert desk.pay(card()).state is State.STORED
    desk.clock.passed_s += 3600
    sale = desk.pay(card("mastercard-credit"))
    assert (sale.state, sale.money_taken) == (State.DECLINED, MoneyTaken.NO)
    assert "keys have run out" in sale.reason
    desk.online = True
    assert desk.pay(card("mastercard-credit")).state is State.APPROVED, "online goes on"


def test_a_card_says_no(desk: Desk) -> None:
    sale = desk.pay(card("declined-by-card"))
    assert (sale.state, sale.money_taken, sale.card) == (State.DECLINED, MoneyTaken.NO, None)
    assert desk.events(sale) == [SaleIntended, CardDeclined]
    assert sale.reason
    assert desk.host.asked == []


# -- what is presented ---------------------------------------------------------------------------

PROMPTS: dict[str, tuple[Callable[[], Put], MessageId, str, float]] = {
    "two cards": (SeveralCards, MessageId.ONE_CARD_ONLY, "", REMOVAL_S),
    "foreign tag": (
        *(lambda: ForeignTag("MIFARE Classic"), MessageId.TRY_ANOTHER_CARD),
        *("MIFARE Classic: this is not a payment card.", REMOVAL_S),
    ),
    "unreadable": (
        *(lambda: Unreadable("no answer"), MessageId.PRESENT_AGAIN),
        *("no answer", HOLD_TIME_S),
    ),
    "torn": (lambda: flawed(tear_after=2), MessageId.PRESENT_AGAIN, "", HOLD_TIME_S),
    "an ID card": (lambda: card("id-card"), MessageId.TRY_ANOTHER_CARD, "", REMOVAL_S),
}


@pytest.mark.parametrize("case", PROMPTS)
def test_the_reader_asks_again(desk: Desk, case: str) -> None:
    put, message, note, removal_s = PROMPTS[case]
    sale = desk.pay(put(), None, card())
    assert sale.state is State.APPROVED
    [prompt] = [progress for progress in desk.seen if isinstance(progress, Prompted)]
    assert prompt.message is message
    assert prompt.note.startswith(note)
    assert desk.reader.removals == [removal_s]
    assert desk.reader.released == 2


def test_a_card_that_breaks_the_rules_is_sent_away(desk: Desk) -> None:
    class Babbles:
        def reset(self) -> None:
            """Nothing to do."""

        def exchange(self, command: bytes) -> bytes:
            return b"\x6f"

    sale = desk.pay(Babbles(), card())
    assert sale.state is State.APPROVED
    [prompt] = [progress for progress in desk.seen if isinstance(progress, Prompted)]
    assert prompt.message in {MessageId.TRY_ANOTHER_CARD, MessageId.PRESENT_AGAIN}


def test_a_card_without_an_end_is_sent_away(desk: Desk) -> None:
    class Slow:
        """Takes a second over each answer; five are too many."""

        def __init__(self, clock: Clock) -> None:
            self._card = card()
            self._clock = clock

        def reset(self) -> None:
            self._card.reset()

        def exchange(self, command: bytes) -> bytes:
            self._clock.passed_s += 3.0
            return self._card.exchange(command)

    sale = desk.pay(Slow(desk.clock), card())
    assert sale.state is State.APPROVED
    [prompt] = [progress for progress in desk.seen if isinstance(progress, Prompted)]
    assert prompt.message is MessageId.TRY_ANOTHER_CARD
    assert "longer than 5 s" in prompt.note


def test_nobody_taps(desk: Desk) -> None:
    sale = desk.pay()
    assert (sale.state, sale.reason) == (State.CANCELLED, "Nobody tapped in time.")
    assert desk.events(sale) == [SaleIntended, Cancelled]
    assert desk.clock.passed_s == 60.0


@pytest.mark.parametrize("before", [0, 1, 3])
def test_the_cashier_cancels(desk: Desk, before: int) -> None:
    looks = iter([False] * before)
    desk.cancelled = lambda: next(looks, True)
    sale = desk.pay(*[None] * 10)
    assert (sale.state, sale.reason) == (State.CANCELLED, "Cancelled by the cashier.")
    assert desk.reader.released == 1
