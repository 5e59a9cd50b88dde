"""The behaviour that every ``Reader`` must show, as checks that any driver can be held to.

A driver's author writes a ``drivers.door.Door``: a reader, and the means to put things in front
of it. Then every check that fits the door's abilities must pass::

    @pytest.mark.parametrize("check", checks_for(MyDoor.abilities), ids=str)
    def test_contract(my_door: MyDoor, check: Check) -> None:
        check(my_door)

Rules of this file: no test framework is imported, a broken rule is a ``ContractBroken`` that
says which one, and a slow machine breaks none. The world moves from inside ``cancelled``, which
the reader itself calls, so "a card comes while the reader waits" needs neither a second thread
nor a sleep.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.door import Ability, Door, PatternChip, pattern
from terminal.errors import CardLost, ReaderUnplugged, TerminalError
from terminal.ports import Card, ForeignTag, Presented, Reader, SeveralCards, Unreadable

# Long enough for a daemon that polls twice a second on a loaded machine: a reader that needs
# it all is broken, one that is quick never notices.
PATIENCE_S = 20.0


class ContractBroken(AssertionError):
    """The reader breaks a rule of the contract; the message says which."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: what it says, what the door must be able to stage, and how to see it broken."""

    name: str
    needs: Ability
    run: Callable[[Door], None]

    def __call__(self, door: Door) -> None:
        """Holds the door's reader to the rule.

        Raises:
            ContractBroken: it does not keep it.
        """
        self.run(door)

    def __str__(self) -> str:
        return self.name


def checks_for(abilities: Ability) -> tuple[Check, ...]:
    """The checks that a door with these abilities must pass."""
    return tuple(check for check in CHECKS if check.needs in abilities)


_ASKED_IN_VAIN = 10_000


class Meanwhile:
    """A ``cancelled`` that does something when it has been asked ``at`` times, or says stop."""

    def __init__(
        self, do: Callable[[], None] | None = None, *, at: int = 2, stop: bool = False
    ) -> None:
        self.asked = 0
        self._do = do
        self._at = at
        self._stop = stop

    def __call__(self) -> bool:
        """Counts; acts when it is time."""
        self.asked += 1
        if self.asked == self._at and self._do is not None:
            self._do()
        if self.asked > _ASKED_IN_VAIN:
            raise ContractBroken("The reader asks cancelled() without pause, or ignores it.")
        return self._stop and self.asked >= self._at


def _require(holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise ContractBroken(rule)


def _wait(reader: Reader, meanwhile: Meanwhile | None = None) -> Presented | None:
    return reader.wait_for_card(timeout_s=PATIENCE_S, cancelled=meanwhile or Meanwhile())


def _tap(reader: Reader, meanwhile: Meanwhile | None = None) -> Card:
    presented = _wait(reader, meanwhile)
    if presented is None or isinstance(presented, SeveralCards | ForeignTag | Unreadable):
        raise ContractBroken(f"A payment card was presented; the reader says {presented!r}.")
    return presented


def _gone(reader: Reader) -> None:
    gone = reader.wait_for_removal(timeout_s=PATIENCE_S, cancelled=Meanwhile())
    _require(gone, "The field is empty; wait_for_removal says that it is not.")


def _talk(card: Card, command: bytes = bytes.fromhex("80CA100000")) -> None:
    _require(card.exchange(command) == pattern(command), "An answer differs from the card's.")


def _raises(kind: type[TerminalError], act: Callable[[], object], when: str) -> TerminalError:
    try:
        outcome = act()
    except kind as error:
        return error
    except TerminalError as error:
        raise ContractBroken(f"{when}: {type(error).__name__}, not {kind.__name__}.") from error
    raise ContractBroken(f"{when}: {outcome!r}, not {kind.__name__}.")


def _has_a_name(door: Door) -> None:
    reader = door.open()
    _require(bool(reader.name.strip()), "A reader has a name for a person.")
    reader.close()


def _presents_a_card_that_is_there(door: Door) -> None:
    reader = door.open()
    chip = PatternChip()
    door.present(chip)
    card = _tap(reader)
    _require(bool(card.technology.strip()), "A card says which technology it speaks.")
    _require(chip.resets >= 1, "A card is activated before it is handed out.")
    _talk(card)
    reader.close()


def _presents_a_card_that_comes(door: Door) -> None:
    reader = door.open()
    chip = PatternChip()
    _talk(_tap(reader, Meanwhile(lambda: door.present(chip))))
    reader.close()


def _times_out(door: Door) -> None:
    reader = door.open()
    began = time.monotonic()
    presented = reader.wait_for_card(timeout_s=0.35, cancelled=Meanwhile())
    _require(presented is None, "Nobody came; wait_for_card returns None.")
    _require(time.monotonic() - began >= 0.34, "wait_for_card gave up before its time.")
    reader.close()


def _asks_cancelled_often(door: Door) -> None:
    reader = door.open()
    asked = Meanwhile()
    reader.wait_for_card(timeout_s=1.5, cancelled=asked)
    # 15 are promised. The margin is for a machine that is busy, not for the driver.
    _require(asked.asked >= 7, f"cancelled() was asked {asked.asked} times in 1.5 seconds.")
    reader.close()


def _honours_cancel(door: Door) -> None:
    reader = door.open()
    stop = Meanwhile(at=3, stop=True)
    _require(_wait(reader, stop) is None, "Cancelled; wait_for_card returns None.")
    _require(stop.asked >= 3, "wait_for_card ended before it was cancelled.")
    _require(stop.asked <= 4, "wait_for_card went on after cancelled() said yes.")
    door.present(PatternChip())
    _talk(_tap(reader))
    reader.close()


_COMMANDS = {
    "a case 1 command, no data either way": "80CA1001",
    "a case 2 command, one byte back": "80CA010000",
    "a case 3 command, data out": "80CA100004DEADBEEF",
    "a case 4 command, data both ways": "80CA100004DEADBEEF00",
    "an answer of 256 bytes": "80CA000000",
    "a command of 255 bytes": "80CA1000FF" + "5A" * 255 + "00",
    "both at their longest": "80CA0000FF" + "A5" * 255 + "00",
    "a status word that is an error": "80CA008200",
}


def _carries_every_length(door: Door) -> None:
    reader = door.open()
    chip = PatternChip()
    door.present(chip)
    card = _tap(reader)
    for what, text in _COMMANDS.items():
        command = bytes.fromhex(text)
        _require(card.exchange(command) == pattern(command), f"Not carried whole: {what}.")
    sent = [bytes.fromhex(text) for text in _COMMANDS.values()]
    _require(chip.seen == sent, "The card saw other commands than were sent.")
    reader.close()


def _loses_a_card_in_an_exchange(door: Door) -> None:
    reader = door.open()
    door.present(PatternChip(leaves_after=1))
    card = _tap(reader)
    _talk(card)
    command = bytes.fromhex("80CA100008C0FFEE00C0FFEE0000")
    error = _raises(CardLost, lambda: card.exchange(command), "The card left in an exchange")
    _require("C0FFEE" not in str(error).upper().replace(" ", ""), "An error shows a command.")
    _raises(CardLost, lambda: card.exchange(command), "A lost card was asked again")
    reader.release()
    _gone(reader)
    door.remove()
    door.present(PatternChip())
    _talk(_tap(reader))
    reader.close()


def _loses_a_card_between_exchanges(door: Door) -> None:
    reader = door.open()
    door.present(PatternChip())
    card = _tap(reader)
    _talk(card)
    door.remove()
    _raises(CardLost, lambda: _talk(card), "The card left between two exchanges")
    reader.release()
    _gone(reader)
    reader.close()


def _releases_harmlessly(door: Door) -> None:
    reader = door.open()
    reader.release()
    reader.release()
    door.present(PatternChip())
    card = _tap(reader)
    reader.release()
    reader.release()
    _raises(CardLost, lambda: _talk(card), "A card was asked after its release")
    reader.close()


def _takes_two_taps(door: Door) -> None:
    reader = door.open()
    for _ in range(2):
        chip = PatternChip()
        door.present(chip)
        _talk(_tap(reader))
        reader.release()
        door.remove()
        _gone(reader)
        _require(len(chip.seen) == 1, "A command went to the wrong card.")
    reader.close()


def _takes_up_a_card_that_stays(door: Door) -> None:
    reader = door.open()
    chip = PatternChip()
    door.present(chip)
    _talk(_tap(reader))
    reader.release()
    before = chip.resets
    _talk(_tap(reader))
    _require(chip.resets > before, "A released card is activated afresh, without its old state.")
    reader.close()


def _sees_removal(door: Door) -> None:
    reader = door.open()
    _gone(reader)
    door.present(PatternChip())
    _tap(reader)
    reader.release()
    stays = reader.wait_for_removal(timeout_s=0.3, cancelled=Meanwhile())
    _require(not stays, "The card is still there; wait_for_removal returns False.")
    stop = Meanwhile(at=3, stop=True)
    stays = reader.wait_for_removal(timeout_s=PATIENCE_S, cancelled=stop)
    _require(not stays and stop.asked <= 4, "wait_for_removal is cancelled and says False.")
    leaves = Meanwhile(door.remove)
    gone = reader.wait_for_removal(timeout_s=PATIENCE_S, cancelled=leaves)
    _require(gone, "The card left; wait_for_removal returns True.")
    reader.close()


def _then_a_card(door: Door, reader: Reader) -> None:
    reader.release()
    door.remove()
    _gone(reader)
    door.present(PatternChip())
    _talk(_tap(reader))
    reader.close()


def _names_a_foreign_tag(door: Door) -> None:
    reader = door.open()
    door.present_foreign()
    presented = _wait(reader)
    _require(isinstance(presented, ForeignTag), f"A foreign tag was read as {presented!r}.")
    if isinstance(presented, ForeignTag):
        _require(bool(presented.technology.strip()), "A foreign tag is named for a person.")
    _then_a_card(door, reader)


def _refuses_two_cards(door: Door) -> None:
    reader = door.open()
    door.present_two()
    presented = _wait(reader)
    refused = isinstance(presented, SeveralCards | Unreadable)
    _require(refused, f"Two cards were presented; the reader says {presented!r}.")
    _then_a_card(door, reader)


def _reports_an_unreadable_card(door: Door) -> None:
    reader = door.open()
    door.present_unreadable()
    presented = _wait(reader)
    _require(isinstance(presented, Unreadable), f"A mute card was read as {presented!r}.")
    _then_a_card(door, reader)


def _is_unplugged_while_waiting(door: Door) -> None:
    reader = door.open()
    _raises(ReaderUnplugged, lambda: _wait(reader, Meanwhile(door.unplug)), "Unplugged in a wait")
    reader.release()
    reader.close()
    reader.close()


def _is_unplugged_in_a_tap(door: Door) -> None:
    reader = door.open()
    door.present(PatternChip())
    card = _tap(reader)
    _talk(card)
    door.unplug()
    _raises(ReaderUnplugged, lambda: _talk(card), "Unplugged between two exchanges")
    reader.release()
    _raises(ReaderUnplugged, lambda: _gone(reader), "Unplugged, and asked for removal")
    reader.close()


def _comes_back(door: Door) -> None:
    reader = door.open()
    _raises(ReaderUnplugged, lambda: _wait(reader, Meanwhile(door.unplug)), "Unplugged in a wait")
    # One line, for a message that names the check and not a function.
    again = lambda: reader.wait_for_card(timeout_s=0.3, cancelled=Meanwhile())  # noqa: E731
    _raises(ReaderUnplugged, again, "Still unplugged when the time of a wait was up")
    stopped = _wait(reader, Meanwhile(at=3, stop=True))
    _require(stopped is None, "Cancelled while the reader is away; wait_for_card returns None.")

    def bring_back() -> None:
        door.plug()
        door.present(PatternChip())

    _talk(_tap(reader, Meanwhile(bring_back)))
    reader.close()


def _closes_twice(door: Door) -> None:
    reader = door.open()
    door.present(PatternChip())
    _tap(reader)
    reader.close()
    reader.close()
    again = door.open()
    _talk(_tap(again))
    again.close()


_ALWAYS = Ability(0)

CHECKS: tuple[Check, ...] = (
    Check("has a name", _ALWAYS, _has_a_name),
    Check("presents a card that is there", _ALWAYS, _presents_a_card_that_is_there),
    Check("presents a card that comes", _ALWAYS, _presents_a_card_that_comes),
    Check("times out with None", _ALWAYS, _times_out),
    Check("asks cancelled often", _ALWAYS, _asks_cancelled_often),
    Check("honours cancel", _ALWAYS, _honours_cancel),
    Check("carries every length", _ALWAYS, _carries_every_length),
    Check("loses a card in an exchange", _ALWAYS, _loses_a_card_in_an_exchange),
    Check("loses a card between exchanges", _ALWAYS, _loses_a_card_between_exchanges),
    Check("releases harmlessly", _ALWAYS, _releases_harmlessly),
    Check("takes two taps in a row", _ALWAYS, _takes_two_taps),
    Check("takes up a card that stays", _ALWAYS, _takes_up_a_card_that_stays),
    Check("sees removal", _ALWAYS, _sees_removal),
    Check("closes twice, and opens again", _ALWAYS, _closes_twice),
    Check("names a foreign tag", Ability.FOREIGN, _names_a_foreign_tag),
    Check("refuses two cards", Ability.TWO, _refuses_two_cards),
    Check("reports an unreadable card", Ability.UNREADABLE, _reports_an_unreadable_card),
    Check("is unplugged while waiting", Ability.UNPLUG, _is_unplugged_while_waiting),
    Check("is unplugged in a tap", Ability.UNPLUG, _is_unplugged_in_a_tap),
    Check("comes back after unplugging", Ability.UNPLUG, _comes_back),
)
"""Every rule of the contract, in the order in which a driver's author meets them."""
