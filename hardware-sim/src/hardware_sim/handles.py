"""What a test holds in its hands: a card, a reader, a till. The pytest plugin hands them out.

Rules of this file: it knows no test framework. A card handle is a card that can be held to any
reader handle; a till handle does what a scenario's steps do, and raises ``AssertionError`` with the
transcript when what it expects does not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import Capture
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.expectations import EXPECTATIONS, captures_of, receipts_of
from hardware_sim.faults import Faults, FaultyChip, parse_faults
from hardware_sim.house_rules import check_house_rules
from hardware_sim.meaning import NotedChip
from hardware_sim.profile import Profile
from hardware_sim.scenario import Step
from hardware_sim.scene import Scene, Unmet
from hardware_sim.stage import Held, PcscStage, Pn532Stage, Stage
from hardware_sim.steps import DOERS
from terminal.scripted import BookedSale


class CardHandle:
    """One simulated card, and what it was asked.

    Args:
        name: a card of the catalogue, or a profile's file.
        seed: its first counters and random numbers.
        fault: what goes wrong on the way to it, as ``tear_after=2``; may be changed at any time.
    """

    def __init__(self, name: str, *, seed: int = 0, fault: str = "") -> None:
        self.profile: Profile = load_profile(name)
        self.seed = seed
        self.commands: list[str] = []
        """The name of each command that reached it, and of each that a fault kept from it."""
        self.dialogue: list[str] = []
        """What was said, in plain language."""
        self._faults = parse_faults(fault)
        self._card = EmvCard(self.profile, seed=seed)
        self.held = self.chip_for(None)

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return self.profile.id

    def set_fault(self, fault: str) -> None:
        """What goes wrong from now on; nothing, for an empty text.

        Raises:
            ConfigError: there is no such fault.
        """
        self._faults = parse_faults(fault)

    def exchange(self, command: bytes) -> bytes:
        """Answers one C-APDU without any reader.

        Raises:
            CardLost: a fault takes the card away.
        """
        return self.held.chip.exchange(command)

    def reset(self) -> None:
        """The field goes off and on."""
        self.held.chip.reset()

    def chip_for(self, stage: Stage | None) -> Held:
        """The card as it is put on a stage, whose time a slow card spends."""
        faulty = FaultyChip(
            self._card,
            self._now,
            card_ms=self.profile.card.answer_ms,
            seed=self.seed,
            sleep=stage.sleep if stage else lambda _: None,
        )
        return Held(self.profile, NotedChip(faulty, self.dialogue.append, self.commands.append))

    def _now(self) -> Faults:
        return self._faults


@dataclass
class ReaderHandle:
    """A simulated reader of one kind, ready for whatever drives such readers.

    ``door`` is ``sim``, ``pcsc`` or ``pn532``.
    """

    door: str
    stage: Stage

    @property
    def url(self) -> str:
        """How a till addresses it."""
        return self.stage.url

    @property
    def name(self) -> str:
        """Its name in PC/SC, on the door ``pcsc``."""
        assert isinstance(self.stage, PcscStage), "only a PC/SC reader has a name"
        return self.stage.reader_name

    @property
    def lights(self) -> tuple[str, ...]:
        """Which lights of a PC/SC reader are on: ``red``, ``green``."""
        assert isinstance(self.stage, PcscStage), "only a PC/SC reader has lights"
        return tuple(
            name for bit, name in enumerate(("red", "green")) if self.stage.front.lights >> bit & 1
        )

    @property
    def beeps(self) -> int:
        """How often a PC/SC reader was told to beep."""
        assert isinstance(self.stage, PcscStage), "only a PC/SC reader has a buzzer"
        return self.stage.front.beeps

    @property
    def path(self) -> str:
        """The serial line of a PN532, on the door ``pn532``."""
        assert isinstance(self.stage, Pn532Stage), "only a PN532 has a serial line"
        return self.stage.path

    def put(self, *cards: CardHandle) -> None:
        """Holds a card to it, or several at once, in place of what was there.

        Raises:
            ConfigError: this door cannot stage that.
        """
        self.stage.put([card.chip_for(self.stage) for card in cards])
        if isinstance(self.stage, PcscStage):
            # Who is not a till connects at once, and does not wait for a card.
            self.stage.seen()

    def take(self) -> None:
        """Takes away whatever is there."""
        self.stage.take()

    def unplug(self) -> None:
        """Takes the reader away."""
        self.stage.unplug()

    def plug(self) -> None:
        """Brings it back."""
        self.stage.plug()


class TillHandle:
    """A running till, its reader and its acquirer: a scenario that is written in Python.

    Each method is a step of the scenario language. What must be so is waited for.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def _do(self, verb: str, value: object = None, **options: object) -> None:
        given = {name: option for name, option in options.items() if option is not None}
        step = Step(verb, value, given)
        self._scene.note(f"      {step}")
        try:
            (DOERS.get(verb) or EXPECTATIONS[verb])(self._scene, step)
        except Unmet as unmet:
            told = "\n".join(self._scene.transcript)
            raise AssertionError(f"{unmet}\nWhat happened before:\n{told}") from None

    def charge(self, amount: str) -> None:
        """Asks for a payment, as ``12.50``."""
        self._do("charge", amount)

    def cancel(self) -> None:
        """Touches Cancel."""
        self._do("cancel")

    def do(self, what: str) -> None:
        """Does what else the till can: ``VERB ARGUMENT``."""
        self._do("do", what)

    def tap(
        self, *cards: str, fault: str | None = None, stays: bool = False, seed: int | None = None
    ) -> None:
        """Holds a card to the reader until the till has read it, or several at once."""
        self._do("tap", cards, fault=fault, stays=stays or None, seed=seed)

    def expect(self, state: str) -> None:
        """Waits until the till shows this: a prompt, the end of a payment, ``ready``."""
        self._do("expect", state)

    def says(self, *words: str) -> None:
        """Waits until these words stand on the screen."""
        self._do("says", words)

    def forward(self) -> None:
        """Sends what waits now, without its back-off."""
        self._do("forward")

    def move_clock(self, by: str) -> None:
        """Moves the till's time of day: ``+2h``, ``-1d``."""
        self._do("clock", by)

    def restart(self) -> None:
        """Stops the till and starts it again."""
        self._do("restart")

    @property
    def state(self) -> str:
        """What the screen shows now, by name."""
        return self._scene.now.state

    @property
    def screen(self) -> str:
        """The words on the screen, a line each."""
        while self._scene.advance(0.0):
            pass
        return "\n".join(self._scene.now.words)

    @property
    def reason(self) -> str:
        """The till's own reason for its last refusal, in English; empty where there was none."""
        while self._scene.advance(0.0):
            pass
        return self._scene.now.reason

    @property
    def receipt(self) -> str:
        """The last receipt; waits for the first one."""
        self._do("receipt", ("",))
        return receipts_of(self._scene)[-1]

    def sales(self) -> tuple[BookedSale, ...]:
        """The till's ledger, oldest first."""
        return self._scene.running.sales()

    def captures(self) -> Sequence[Capture]:
        """This till's sales in the acquirer's books."""
        return captures_of(self._scene)

    @property
    def acquirer(self) -> AcquirerControl:
        """The acquirer's controls."""
        return self._scene.workshop.acquirer

    @property
    def transcript(self) -> str:
        """What was done, shown and said to the card so far, in plain language."""
        return "\n".join(self._scene.transcript)

    def check(self) -> None:
        """Checks what holds after every scenario: the two ledgers agree, no card data on disk.

        Raises:
            AssertionError: a rule is broken.
        """
        try:
            check_house_rules(self._scene)
        except Unmet as unmet:
            raise AssertionError(f"{unmet}\n{self.transcript}") from None
