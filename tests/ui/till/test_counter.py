"""What a face asks for at the counter: bills, tenders, the catalogue, the drawer, transfers."""

from __future__ import annotations

from dataclasses import replace

from offline_queue.bills import NewBill
from offline_queue.items import Items
from terminal.bill import PartWish
from terminal.catalogue import read_catalogue
from terminal.config import TransferConfig
from terminal.drawer import CashMove
from terminal.money import Amount, Currency
from terminal.order import Order
from terminal.terms import Tender
from terminal.transaction import State
from tests.ui.till.conftest import OpenTill
from ui import counter_questions as q
from ui.events import Refused
from ui.questions import Unanswered
from ui.wiring import Parts

EUR = Currency.of("EUR")


def eur(minor: int) -> Amount:
    return Amount(minor, EUR)


def with_iban(parts: Parts) -> Parts:
    transfer = TransferConfig(iban="DE89370400440532013000")
    config = replace(parts.settings.config, transfer=transfer)
    return replace(parts, settings=replace(parts.settings, config=config))


def test_a_table_orders_and_pays_in_parts(open_till: OpenTill) -> None:
    watcher = open_till(change=with_iban)
    ask, till = watcher.till.ask, watcher.till
    listed = read_catalogue("name,price,barcode\nTea,2.00,4006381333931\nSoup,6.00,\n", EUR)
    Items(watcher.parts.journal.store).load(listed, watcher.parts.clock)
    ask(q.CatalogueWanted())
    assert watcher.until(q.CatalogueShown).catalogue == listed
    ask(q.ItemWanted("4006381333931"))
    tea = watcher.until(q.ItemShown).item
    assert tea is not None
    order = Order(EUR).add(tea, 2).add(listed.items[1])
    names = tuple(line.text for line in order.lines)
    ask(q.BillOpening(NewBill(order.total, order.parts, names, "Table 4"), "Ada"))
    opened = watcher.until(q.BillShown).standing
    assert (opened.due.minor, opened.bill.lines) == (1000, ("2 x Tea", "Soup"))
    name = opened.bill.name
    # The tea by card, a part of the rest in cash, and the last of it by transfer.
    ask(q.PartWanted(name, PartWish(lines=(0,)), "Ada"))
    assert watcher.finished().state is State.APPROVED
    assert watcher.until(q.BillShown).standing.free_lines == (1,)
    cash = PartWish(eur(100), Tender.CASH, tip_minor=50, tendered=eur(200))
    ask(q.PartWanted(name, cash))
    assert watcher.finished().tendered_minor == 200
    watcher.until(q.BillShown)
    ask(q.PartWanted(name, PartWish(tender=Tender.TRANSFER)))
    awaited = watcher.finished()
    assert awaited.state is State.AWAITED
    assert watcher.until(q.BillShown).standing.doubt.minor == 500
    code = watcher.until(q.CodeShown)
    assert code.text.endswith(code.reference)
    ask(q.BillClosing(name, "Eva", "they left"))
    assert "not known yet" in watcher.until(Unanswered).message
    ask(q.BillsWanted())
    assert [each.bill.name for each in watcher.until(q.BillsShown).standing] == [name]
    watcher.acquirer.set(transfer_after=1)
    ask(q.TransferAwaited(awaited.txn_id))
    assert watcher.finished().state is State.APPROVED
    assert not watcher.until(q.BillShown).standing.open
    ask(q.PartWanted(name, PartWish(tender=Tender.CASH)))
    assert "EUR 0.00 is due" in watcher.until(Refused).message
    till.stop()
    watcher.parts.journal.store.verify()


def test_a_prepaid_card_leaves_a_bill_and_a_wait_can_be_cancelled(open_till: OpenTill) -> None:
    watcher = open_till(change=with_iban)
    watcher.charge("12.10")
    assert watcher.finished().still_due_minor == 484
    rest = watcher.until(q.BillShown).standing
    assert (rest.bill.name, rest.due.minor) == ("R1", 484)
    ask = watcher.till.ask
    ask(q.PartWanted("R1", PartWish(tender=Tender.CASH)))
    watcher.finished()
    ask(q.UsualWanted(rest.bill.first))
    shown = watcher.until(q.UsualShown).usual
    assert (shown.device, shown.language, shown.next_tender) == ("card", "en", Tender.CASH)
    ask(q.TenderWanted(eur(500), Tender.TRANSFER))
    awaited = watcher.finished()
    watcher.acquirer.set(transfer_after=0)
    ask(q.TransferAwaited(awaited.txn_id))
    watcher.till.cancel()
    assert watcher.finished().state is State.AWAITED
    ask(q.TransferGivenUp(awaited.txn_id, "Eva"))
    assert watcher.finished().state is State.CANCELLED
    ask(q.TenderWanted(eur(500), Tender.CASH, tendered=eur(400)))
    assert "not enough" in watcher.until(Refused).message


def was_counted(shown: q.DrawerShown) -> bool:
    return shown.standing is not None and shown.standing.counted_minor is not None


def test_the_drawer_is_counted_at_the_face(open_till: OpenTill) -> None:
    watcher = open_till()
    ask = watcher.till.ask
    ask(q.DrawerWanted())
    assert watcher.until(q.DrawerShown).standing is None
    ask(q.DrawerBegun(eur(1000), "Ada"))
    ask(q.TenderWanted(eur(250), Tender.CASH))
    assert watcher.finished().state is State.APPROVED
    ask(q.DrawerMoving(CashMove(-9000, "bank", "Ada")))
    assert "should hold EUR 12.50" in watcher.until(Unanswered).message
    ask(q.DrawerMoving(CashMove(-200, "milk", "Ada")))
    ask(q.DrawerCounting(eur(1049), "Ben"))
    counted = watcher.until(q.DrawerShown, was_counted)
    assert counted.standing is not None
    assert counted.standing.difference_minor == -1
