"""The simulated reader behind ``sim:`` keeps the contract, and the contract finds who does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.contract import CHECKS, Check, ContractBroken, checks_for
from drivers.door import Ability, Chip, PatternChip
from hardware_sim.field import Field, Presence, SimulatedReader
from terminal.errors import CardLost, ReaderError, ReaderUnplugged
from terminal.ports import Card, ForeignTag, Presented, Reader, SeveralCards, Unreadable

EVERYTHING = Ability.FOREIGN | Ability.TWO | Ability.UNREADABLE | Ability.UNPLUG


class SimDoor:
    abilities = EVERYTHING

    def __init__(self, kind: type[SimulatedReader] = SimulatedReader, name: str = "Sim") -> None:
        self.field = Field()
        self.kind = kind
        self.name = name

    def open(self) -> Reader:
        return self.kind(self.field, self.name)

    def present(self, chip: Chip) -> None:
        self.field.put(Presence(chip))

    def remove(self) -> None:
        self.field.take()

    def present_foreign(self) -> None:
        self.field.put(Presence(ForeignTag("MIFARE Classic")))

    def present_two(self) -> None:
        self.field.put(Presence(SeveralCards()))

    def present_unreadable(self) -> None:
        self.field.put(Presence(Unreadable("The card does not answer.")))

    def unplug(self) -> None:
        self.field.set_plugged(plugged=False)

    def plug(self) -> None:
        self.field.set_plugged(plugged=True)


@pytest.mark.parametrize("check", checks_for(EVERYTHING), ids=str)
def test_the_simulated_reader_keeps_the_contract(check: Check) -> None:
    check(SimDoor())


class Tampered:
    """A card whose exchanges go through a tampering hand."""

    technology = "ISO 14443-4 A"

    def __init__(self, card: Card, hand: Callable[[Card, bytes], bytes]) -> None:
        self.card = card
        self.hand = hand

    def exchange(self, command: bytes) -> bytes:
        return self.hand(self.card, command)


class Tampering(SimulatedReader):
    def hand(self, card: Card, command: bytes) -> bytes:
        return card.exchange(command)

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        presented = super().wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        if presented is None or isinstance(presented, SeveralCards | ForeignTag | Unreadable):
            return presented
        return Tampered(presented, self.hand)


class GivesUpAtOnce(SimulatedReader):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        return super().wait_for_card(timeout_s=0, cancelled=cancelled)


class AsksCancelledOnce(SimulatedReader):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        cancelled()
        return super().wait_for_card(timeout_s=min(timeout_s, 2), cancelled=lambda: False)


class IgnoresCancel(SimulatedReader):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        def deaf() -> bool:
            cancelled()
            return False

        return super().wait_for_card(timeout_s=min(timeout_s, 0.5), cancelled=deaf)


class NamesNoTechnology(Tampering):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        presented = super().wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        if isinstance(presented, Tampered):
            presented.technology = " "
        return presented


class CutsLongAnswers(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        return card.exchange(command)[-256:]


class SendsTwice(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        card.exchange(command)
        return card.exchange(command)


class SaysNothingWhenTheCardIsLost(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        try:
            return card.exchange(command)
        except CardLost:
            return b""


class ShowsTheCommand(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        try:
            return card.exchange(command)
        except CardLost as error:
            raise CardLost(f"No answer to {command.hex(' ')}.") from error


class BlamesTheReader(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        try:
            return card.exchange(command)
        except CardLost as error:
            raise ReaderUnplugged("The reader went away.") from error


class BlamesTheCard(Tampering):
    def hand(self, card: Card, command: bytes) -> bytes:
        try:
            return card.exchange(command)
        except ReaderUnplugged as error:
            raise CardLost("The card went away.") from error


class StillPowered:
    """A chip that is handed out again without an activation."""

    def __init__(self, chip: Chip) -> None:
        self.exchange = chip.exchange

    def reset(self) -> None:
        pass


class KeepsTheCardPowered(SimulatedReader):
    def release(self) -> None:
        presence = self._in_hand
        super().release()
        if presence is not None and isinstance(presence.what, PatternChip):
            presence.what = StillPowered(presence.what)


class NeverReleases(SimulatedReader):
    def release(self) -> None:
        pass


class ReleasesOnce(SimulatedReader):
    def release(self) -> None:
        if self._in_hand is None:
            raise ReaderError("There is no card.")
        super().release()


class ThinksTheFieldIsEmpty(SimulatedReader):
    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        return True


class ThinksTheFieldIsFull(SimulatedReader):
    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        return False


class SeesOnlyCards(SimulatedReader):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        presented = super().wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        odd = isinstance(presented, SeveralCards | ForeignTag | Unreadable)
        return None if odd else presented


class DoesNotNoticeUnplugging(SimulatedReader):
    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        try:
            return super().wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        except ReaderUnplugged:
            return None


class StaysAway(SimulatedReader):
    away = False

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        if self.away:
            raise ReaderUnplugged("The reader went away.")
        try:
            return super().wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        except ReaderUnplugged:
            self.away = True
            raise


class ClosesOnce(SimulatedReader):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise ReaderError("The reader is closed.")
        self.closed = True
        super().close()


class Nameless(SimulatedReader):
    @property
    def name(self) -> str:
        return ""


DEFECTS: dict[type[SimulatedReader], list[str]] = {
    Nameless: ["has a name"],
    NamesNoTechnology: ["presents a card that is there"],
    GivesUpAtOnce: ["presents a card that comes", "times out with None"],
    AsksCancelledOnce: ["asks cancelled often", "honours cancel"],
    IgnoresCancel: ["honours cancel"],
    CutsLongAnswers: ["carries every length"],
    SendsTwice: ["carries every length", "takes two taps in a row"],
    SaysNothingWhenTheCardIsLost: [
        "loses a card in an exchange",
        "loses a card between exchanges",
        "releases harmlessly",
    ],
    ShowsTheCommand: ["loses a card in an exchange"],
    BlamesTheReader: ["loses a card in an exchange", "loses a card between exchanges"],
    BlamesTheCard: ["is unplugged in a tap"],
    KeepsTheCardPowered: ["takes up a card that stays"],
    NeverReleases: ["releases harmlessly"],
    ReleasesOnce: ["releases harmlessly"],
    ThinksTheFieldIsEmpty: ["sees removal", "is unplugged in a tap"],
    ThinksTheFieldIsFull: ["sees removal", "takes two taps in a row"],
    SeesOnlyCards: ["names a foreign tag", "refuses two cards", "reports an unreadable card"],
    DoesNotNoticeUnplugging: ["is unplugged while waiting", "comes back after unplugging"],
    StaysAway: ["comes back after unplugging"],
    ClosesOnce: ["closes twice, and opens again", "is unplugged while waiting"],
}
NAMED = {check.name: check for check in CHECKS}


@pytest.mark.parametrize(
    ("defect", "name"),
    [(defect, name) for defect, names in DEFECTS.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_defect_breaks_the_contract(defect: type[SimulatedReader], name: str) -> None:
    with pytest.raises((ContractBroken, ReaderError)):
        NAMED[name](SimDoor(defect))


def test_every_check_can_fail() -> None:
    assert {name for names in DEFECTS.values() for name in names} == set(NAMED)
