r"""The pytest plugin ``taptill-hardware-sim``: simulated cards, readers, an acquirer and a till.

Rules of this file: the only module of the simulator that knows pytest, which loads it by entry
point. It imports nothing heavy before a fixture is asked for, since it is loaded by every pytest
that runs where it is installed. A door whose daemon is missing skips the test, and fails it in CI.

Markers::

    @pytest.mark.sim_card("visa-credit", seed=7, fault="tear_after=2")   # for the fixture sim_card
    @pytest.mark.sim_door("pcsc")         # sim, pcsc or pn532: for sim_reader and till
    @pytest.mark.sim_till(config='[offline]\nper_sale = "10.00"\n')     # for till
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    # For real each fixture imports what it hands out, when it is asked for.
    from hardware_sim.acquirer_control import AcquirerControl
    from hardware_sim.daemon import Pcscd
    from hardware_sim.handles import CardHandle, ReaderHandle, TillHandle
    from hardware_sim.workshop import Workshop

_MARKERS = (
    "sim_card(name, seed=0, fault=''): which simulated card the fixture sim_card is",
    "sim_door(name): the reader of sim_reader and till: sim, pcsc or pn532",
    "sim_till(config='', authorise_s=15, present_s=60, seed=0): the till of the fixture till",
)


def pytest_configure(config: pytest.Config) -> None:
    """Makes the markers known."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def _absent(why: Exception) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(str(why))
    pytest.skip(str(why))


def _marked(request: pytest.FixtureRequest, name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    mark = request.node.get_closest_marker(name)
    return (mark.args, dict(mark.kwargs)) if mark else ((), {})


@pytest.fixture
def pcscd() -> Iterator[Pcscd]:
    """The real daemon, running; skips where it cannot be had, and fails in CI."""
    from hardware_sim import daemon  # noqa: PLC0415 - see the rules of this file
    from terminal.errors import ConfigError  # noqa: PLC0415 - as above

    try:
        running = daemon.shared()
        running.start()
    except ConfigError as error:
        _absent(error)
    yield running
    if not running.isolated:
        # Its socket is the system's, and the tests of another process wait for it.
        running.stop()
        daemon.give_turn()


@pytest.fixture(scope="session")
def sim_workshop() -> Iterator[Workshop]:
    """What the other fixtures start once and keep: an acquirer's process, and readers."""
    from hardware_sim.workshop import Workshop  # noqa: PLC0415 - see the rules of this file

    with Workshop() as workshop:
        yield workshop


@pytest.fixture
def sim_card(request: pytest.FixtureRequest) -> CardHandle:
    """A simulated card: the one that the marker ``sim_card`` names, or ``visa-credit``."""
    from hardware_sim.handles import CardHandle  # noqa: PLC0415 - see the rules of this file

    arguments, options = _marked(request, "sim_card")
    return CardHandle(*(arguments or ("visa-credit",)), **options)


@pytest.fixture
def sim_door(request: pytest.FixtureRequest) -> str:
    """The kind of reader: the one that the marker ``sim_door`` names, or ``sim``."""
    arguments, _ = _marked(request, "sim_door")
    return str(arguments[0]) if arguments else "sim"


@pytest.fixture
def sim_reader(
    request: pytest.FixtureRequest, sim_workshop: Workshop, sim_door: str
) -> Iterator[ReaderHandle]:
    """A reader with nothing on it, of the kind that the marker ``sim_door`` names."""
    from hardware_sim.handles import ReaderHandle  # noqa: PLC0415 - see the rules of this file
    from terminal.errors import ConfigError  # noqa: PLC0415 - as above

    if sim_door == "pcsc":
        # Asked for first, so that the daemon is there before and after the reader.
        request.getfixturevalue("pcscd")
    try:
        stage = sim_workshop.stage(sim_door)
    except ConfigError as error:
        _absent(error)
    yield ReaderHandle(sim_door, stage)
    stage.renew()


@pytest.fixture
def sim_acquirer(sim_workshop: Workshop) -> Iterator[AcquirerControl]:
    """The controls of a running acquirer that misbehaves in nothing when a test begins."""
    control = sim_workshop.acquirer
    sim_workshop.steady()
    yield control
    sim_workshop.steady()


@pytest.fixture
def till(
    request: pytest.FixtureRequest,
    sim_workshop: Workshop,
    sim_reader: ReaderHandle,
    sim_acquirer: AcquirerControl,
) -> Iterator[TillHandle]:
    """A whole till on ``sim_reader`` and ``sim_acquirer``, running; its books are checked after."""
    from hardware_sim.handles import TillHandle  # noqa: PLC0415 - see the rules of this file
    from hardware_sim.play import clear_away, set_up  # noqa: PLC0415 - as above
    from hardware_sim.scenario import NOWHERE, Scenario  # noqa: PLC0415 - as above

    _, options = _marked(request, "sim_till")
    seed = int(options.pop("seed", 0))
    scenario = Scenario(
        name=request.node.name,
        group="test",
        file=Path(str(request.node.path)),
        place=NOWHERE,
        steps=(),
        till=tomllib.loads(options.pop("config", "")),
        **options,
    )
    number = sim_workshop.next_number()
    scene = set_up(sim_workshop, scenario, sim_reader.stage, seed=seed, number=number)
    try:
        assert sim_acquirer.alive
        scene.open_till()
        handle = TillHandle(scene)
        yield handle
        scene.take()
        handle.check()
    finally:
        clear_away(scene)
