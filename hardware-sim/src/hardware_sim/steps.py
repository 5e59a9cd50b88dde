"""What each step of a scenario does to the till and to the world.

Rules of this file: a step acts and does not wait for what comes of it; waiting is the work of
``expectations``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.far_till import FarTill
from hardware_sim.faults import Faults, FaultyChip, parse_faults
from hardware_sim.meaning import NotedChip
from hardware_sim.pn532_chip import AirFaults
from hardware_sim.printer import set_paper
from hardware_sim.profile import Profile
from hardware_sim.scenario import Step
from hardware_sim.scene import Scene, Unmet
from hardware_sim.stage import Held
from hardware_sim.virtual_clock import ScriptClock, ScriptEntropy

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


# -- what a cashier and a customer do --------------------------------------------------------


def _act(verb: str) -> Callable[[Scene, Step], None]:
    def act(scene: Scene, step: Step) -> None:
        while scene.advance(0.0):
            pass
        scene.cursor = len(scene.shown)
        scene.running.act(verb, step.value or "")
        scene.forwarding_since = time.monotonic() if verb == "forward" else None

    return act


def _do(scene: Scene, step: Step) -> None:
    verb, _, argument = step.value.partition(" ")
    _act(verb)(scene, Step(verb, argument))


def _tap(scene: Scene, step: Step) -> None:
    while scene.advance(0.0):
        pass
    scene.take()
    faults = parse_faults(step.options.get("fault", ""))
    seed = step.options.get("seed", scene.seed)
    held = [_held(scene, load_profile(card), faults, seed) for card in step.value]
    scene.cursor = len(scene.shown)
    scene.apdus.clear()
    scene.stage.weather(
        AirFaults(seed=seed, lost_rate=faults.air_lost / 100, damaged_rate=faults.air_crc / 100)
    )
    scene.held, scene.stays = True, bool(step.options.get("stays", False))
    scene.stage.put(held)


def _held(scene: Scene, profile: Profile, faults: Faults, seed: int) -> Held:
    key = (profile.id, seed)
    if key not in scene.chips:
        scene.chips[key] = EmvCard(profile, seed=seed)
    if profile.account is not None:
        scene.cards_used.add(profile.account.pan)
    faulty = FaultyChip(
        scene.chips[key],
        lambda: faults,
        card_ms=profile.card.answer_ms,
        seed=seed,
        sleep=scene.stage.sleep,
    )
    return Held(profile, NotedChip(faulty, scene.note, scene.apdus.append, scene.dialogue.update))


def _remove(scene: Scene, step: Step) -> None:
    del step
    scene.take()


# -- what the world does ---------------------------------------------------------------------


def _network(scene: Scene, step: Step) -> None:
    if step.value == "on":
        scene.workshop.acquirer.network_on()
    else:
        scene.workshop.acquirer.network_off()


def _acquirer(scene: Scene, step: Step) -> None:
    options = dict(part.partition("=")[::2] for part in step.value.split())
    scene.workshop.acquirer.set(**options)


def _acquirer_restarts(scene: Scene, step: Step) -> None:
    del step
    scene.workshop.acquirer.restart()


def _acquirer_forgets(scene: Scene, step: Step) -> None:
    del step
    # From here on the acquirer may book a copy twice, which no till can prevent.
    scene.accounted = False
    scene.workshop.acquirer.forget_answers()


def _clock(scene: Scene, step: Step) -> None:
    sign, unit = step.value[:1], step.value[-1:]
    if sign not in {"+", "-"} or unit not in _UNITS_S or not step.value[1:-1].isdecimal():
        raise Unmet("a time like +2h or -90s", repr(step.value))
    seconds = int(step.value[:-1]) * _UNITS_S[unit]
    if isinstance(scene.till, FarTill):
        scene.till.move_clock(seconds)
    scene.clock.move(seconds)


def _pause(scene: Scene, step: Step) -> None:
    deadline = time.monotonic() + step.value / 1000
    while (left_s := deadline - time.monotonic()) > 0:
        scene.advance(left_s)


def _reader(scene: Scene, step: Step) -> None:
    match step.value:
        case "plugged":
            scene.stage.plug()
        case "unplugged":
            scene.stage.unplug()
        case _:
            scene.stage.kill()


def _paper(scene: Scene, step: Step) -> None:
    set_paper(scene.receipts, loaded=step.value == "in")


def _disk(scene: Scene, step: Step) -> None:
    assert isinstance(scene.till, FarTill)
    if step.value == "full":
        scene.till.fill_disk()
    else:
        scene.till.free_disk()


def _kill(scene: Scene, step: Step) -> None:
    del step
    assert isinstance(scene.till, FarTill)
    scene.till.kill()
    scene.till = None


def _start(scene: Scene, step: Step) -> None:
    del step
    scene.cursor = len(scene.shown)
    scene.order = replace(
        scene.order, clock=ScriptClock(scene.clock.at), entropy=ScriptEntropy(scene.seed + 1000)
    )
    if not isinstance(scene.till, FarTill) and isinstance(scene.order.clock, ScriptClock):
        scene.clock = scene.order.clock
    scene.open_till()


def _restart(scene: Scene, step: Step) -> None:
    scene.running.close()
    scene.till = None
    _start(scene, step)


def _brownout(scene: Scene, step: Step) -> None:
    _kill(scene, step)
    scene.take()
    scene.stage.kill()
    scene.workshop.acquirer.restart()
    scene.stage.plug()
    _start(scene, step)


DOERS: Mapping[str, Callable[[Scene, Step], None]] = {
    "charge": _act("charge"),
    "cancel": _act("cancel"),
    "done": _act("done"),
    "forward": _act("forward"),
    "do": _do,
    "tap": _tap,
    "remove": _remove,
    "network": _network,
    "acquirer": _acquirer,
    "acquirer_restarts": _acquirer_restarts,
    "acquirer_forgets": _acquirer_forgets,
    "clock": _clock,
    "pause": _pause,
    "reader": _reader,
    "paper": _paper,
    "disk": _disk,
    "kill": _kill,
    "start": _start,
    "restart": _restart,
    "brownout": _brownout,
}
