"""The contract of every reader, kept by ``drivers/pcsc.py`` in front of a real pcscd."""

from __future__ import annotations

import pytest

from drivers.contract import Check, checks_for
from hardware_sim.pcsc_door import PcscDoor

pytestmark = pytest.mark.pcscd


@pytest.mark.parametrize("check", checks_for(PcscDoor.abilities), ids=str)
def test_contract(pcsc_door: PcscDoor, check: Check) -> None:
    check(pcsc_door)
