"""Devices by URL: a scheme that is not here is told what there is, and how to get more."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from drivers import registry
from drivers.registry import discover_readers, open_reader
from terminal.errors import ReaderAddressWrong

ABSENT = EntryPoint("nfcpy", "no_such_package.reader:open_reader", registry.READERS)


@pytest.fixture
def product_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A till without the simulator, whose one reader driver lacks its packages."""
    monkeypatch.setattr(registry, "schemes", lambda _: {ABSENT.name: ABSENT})


@pytest.mark.parametrize("url", ["sim:", "sim:visa-credit", "replay:tap.json"])
def test_a_till_in_use_has_no_simulator(product_alone: None, url: str) -> None:
    with pytest.raises(ReaderAddressWrong) as refused:
        open_reader(url)
    assert "taptill-hardware-sim" in refused.value.remedy
    assert "nfcpy:" in refused.value.remedy


def test_another_scheme_is_told_those_that_exist(product_alone: None) -> None:
    with pytest.raises(ReaderAddressWrong) as refused:
        open_reader("laser:1")
    assert refused.value.remedy == "Schemes that exist here: nfcpy:."


def test_a_driver_without_its_packages_is_told_the_extra(product_alone: None) -> None:
    [said] = discover_readers()
    assert isinstance(said, str)
    assert "taptill[nfc]" in said
    with pytest.raises(ReaderAddressWrong) as refused:
        open_reader("nfcpy:tty:USB0:pn532")
    assert "taptill[nfc]" in refused.value.remedy
