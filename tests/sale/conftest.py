"""A whole till for each test: real ledger, real TLS to a real acquirer process, a real reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardware_sim.acquirer import SimulatedAcquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.pcsc_door import PcscDoor
from hardware_sim.pn532 import Pn532OnPty
from offline_queue.sync import SaleMoved
from terminal.checkout import Ports, pay
from terminal.money import Amount
from terminal.ports import Reader
from terminal.progress import Progress
from terminal.transaction import Transaction
from ui.wiring import Parts, assembled, forwarder, load_settings


@dataclass
class Shop:
    """One open till, and a hand on its acquirer."""

    parts: Parts
    reader: Reader
    seen: list[Progress]

    @property
    def acquirer(self) -> AcquirerControl:
        assert isinstance(self.parts.acquirer, SimulatedAcquirer)
        return AcquirerControl(self.parts.acquirer.folder)

    def sell(self, text: str) -> Transaction:
        amount = Amount.parse(text, self.parts.settings.config.till.currency)
        link = self.parts.acquirer.link()
        ports = Ports(
            reader=self.reader,
            host=link,
            journal=self.parts.journal,
            sealer=self.parts.acquirer.sealer,
            keystore=self.parts.keystore,
            clock=self.parts.clock,
            entropy=self.parts.entropy,
            show=self.seen.append,
            cancelled=lambda: False,
            host_online=lambda: True,
        )
        try:
            return pay(ports, self.parts.rules, amount)
        finally:
            link.close()

    def forward(self) -> list[Transaction]:
        """One round of the real forwarder."""
        moved: list[Transaction] = []

        def heard(news: object) -> None:
            if isinstance(news, SaleMoved):
                moved.append(news.transaction)

        line = forwarder(self.parts, heard)
        try:
            line.run_once()
        finally:
            line.close()
        return moved


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[OpenShop]:
    """Opens tills in the test's folder; ``reader`` is an address."""
    with ExitStack() as stack:

        def open_one(reader: str, **settings: str) -> Shop:
            loaded = load_settings(
                data_dir=tmp_path / "till",
                reader=reader,
                acquirer=settings.get("acquirer"),
                config_file=Path(settings["config"]) if "config" in settings else None,
            )
            parts = stack.enter_context(assembled(loaded))
            device = parts.open_reader()
            stack.callback(device.close)
            return Shop(parts, device, [])

        yield open_one


@pytest.fixture(params=["sim", pytest.param("pcsc", marks=pytest.mark.pcscd), "pn532"])
def door(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Puts a simulated card behind one of the doors, and says how to address the reader."""
    # Asked for here, so that the daemon outlives the card before it.
    daemon = request.getfixturevalue("pcscd") if request.param == "pcsc" else None
    with ExitStack() as stack:

        def present(card: str) -> str:
            if request.param == "sim":
                return f"sim:{card}"
            chip = EmvCard(load_profile(card))
            if daemon is None:
                return stack.enter_context(Pn532OnPty(chip)).url
            slot = PcscDoor(daemon)
            stack.callback(slot.close)
            slot.present(chip)
            return slot.url

        yield present
