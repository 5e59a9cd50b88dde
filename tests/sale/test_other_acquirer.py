"""The acquirer is changed while one still owes an answer: nothing is asked of the wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_sim.acquirer_ledger import CaptureState
from terminal.errors import StoreError
from terminal.transaction import State
from tests.sale.conftest import OpenShop
from tests.sale.host_process import running_acquirer
from ui.wiring import assembled, load_settings


def test_a_sale_that_waits_for_one_acquirer_is_not_reversed_at_another(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    with running_acquirer(first) as acquirer:
        shop = open_shop("sim:visa-credit", acquirer=f"sim:?dir={first}")
        # It books the sale and hangs up.
        acquirer.set(close=1)
        sale = shop.sell("12.00")
        assert sale.state is State.UNKNOWN
        shop.parts.journal.close()

        other = load_settings(data_dir=tmp_path / "till", acquirer=f"sim:?dir={tmp_path / 'other'}")
        with (
            pytest.raises(StoreError, match="1 of the ledger's sales wait for the acquirer"),
            assembled(other),
        ):
            pytest.fail("the till opened for an acquirer that never heard of the sale")
        assert [c.state for c in acquirer.captures()] == [CaptureState.CAPTURED]

        again = open_shop("sim:visa-credit", acquirer=f"sim:?dir={first}")
        assert [moved.state for moved in again.forward()] == [State.REVERSED]
        assert [c.state for c in acquirer.captures()] == [CaptureState.REVERSED]
