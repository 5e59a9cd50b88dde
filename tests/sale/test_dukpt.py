"""A till that seals with DUKPT, on the real acquirer process: sales online and stored ones."""

from __future__ import annotations

from pathlib import Path

from hardware_sim.catalogue import load_profile
from hardware_sim.leaks import find_in_folder
from offline_queue.sql import one
from terminal.iso8583.envelope import envelope_of
from terminal.iso8583.messages import unpack
from terminal.iso8583.profiles import BASE87_DUKPT
from terminal.transaction import State
from tests.sale.conftest import OpenShop


def test_a_sale_and_a_stored_sale_are_opened_by_the_acquirer(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    shop = open_shop("sim:visa-credit", acquirer="sim:?profile=base87-dukpt")
    assert shop.parts.rules.profile is BASE87_DUKPT
    assert shop.sell("12.50").state is State.APPROVED
    shop.acquirer.network_off()
    assert shop.sell("7.00").state is State.STORED
    with shop.parts.journal.store.read() as connection:
        message = one(connection, "SELECT message FROM outbox")
    fields = unpack(BASE87_DUKPT, message).fields
    assert fields[53].startswith(shop.parts.acquirer.sealer.key_id.upper())
    assert fields[62].startswith("0102")
    assert fields[53] not in fields[62]
    assert envelope_of(BASE87_DUKPT, fields)[2:14].hex().upper() == fields[53]
    shop.acquirer.network_on()
    (moved,) = shop.forward()
    assert moved.state is State.APPROVED
    assert len(shop.acquirer.captures()) == 2
    account = load_profile("visa-credit").account
    assert account is not None
    assert find_in_folder(tmp_path, {"visa-credit": account.pan}) == []
