"""Our Entry Point and kernels against recorded cards.

Rules of this file: a dialogue that states its terminal is replayed byte for byte, to the same
outcome. Of the others the terminal is not known: headers and lengths have to match, what only a
collecting reader asks (GET DATA, log files) is passed over, and the outcome must be one that the
recorded cryptogram allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hardware_sim.conformance.case import (
    Json,
    Mismatch,
    OutOfScope,
    require,
    same,
    same_account,
    upper,
)
from hardware_sim.conformance.dialogue_proof import steps_of
from hardware_sim.conformance.recorded_terminal import fitting_terminal, stated_terminal
from terminal.emv import tags, witness
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.outcome import Decision, MessageId, Outcome
from terminal.emv.settings import ReaderSettings, TransactionRequest
from terminal.emv.tlv import encode
from terminal.emv.witness import PPSE, Seen, Step
from terminal.errors import CardLost

_FILLED_BY_TERMINAL = frozenset({0xA8, 0xAE, 0x2A, 0xEA})
_GOES_ON = frozenset({Decision.APPROVED, Decision.ONLINE_REQUEST})
# What the last cryptogram of a card (two high bits of 9F27) allows a terminal to say.
_ALLOWED = {
    0x00: frozenset({Decision.DECLINED, Decision.TRY_ANOTHER_INTERFACE, Decision.TRY_AGAIN}),
    0x40: frozenset({Decision.APPROVED, Decision.ONLINE_REQUEST, Decision.DECLINED}),
    0x80: frozenset({Decision.ONLINE_REQUEST, Decision.DECLINED, Decision.TRY_AGAIN}),
}
_EXACT = {0x00: "declined", 0x40: "approved", 0x80: "online request"}


class OffTheRecord(Exception):
    """The terminal sent what the recording does not have here."""


def _ticks() -> Iterator[float]:
    at = 0.0
    while True:
        yield at
        at += 0.001


class RecordedCard:
    """A card that answers as one did when it was recorded."""

    technology = "recording"

    def __init__(self, steps: Sequence[Step], *, exact: bool, forgiven: bool = False) -> None:
        self._steps = steps
        self._exact = exact
        self._forgiven = forgiven
        self.position = 0
        self.supplied = 0

    def exchange(self, command: bytes) -> bytes:
        """The recorded answer.

        Raises:
            CardLost: the recorded card was lost here.
            OffTheRecord: the recording has no such command here.
        """
        began = self.position
        while self.position < len(self._steps):
            step = self._steps[self.position]
            self.position += 1
            if self._matches(command, step.command):
                if step.answer is None:
                    raise CardLost("The recorded card was lost here.")
                return step.answer
            if self._exact or not _for_information(step.command):
                break
        self.position = began
        if not self._exact and command[1] == 0xB2 and not self._has_record(command):
            # The publisher left this record out; the rest of the dialogue still verifies.
            self.supplied += 1
            return bytes.fromhex("70009000")
        recorded = self._steps[began].command if began < len(self._steps) else None
        raise OffTheRecord(
            f"exchange {began + 1}: sent {_shown(command)}, recorded {_shown(recorded)}"
        )

    def _has_record(self, command: bytes) -> bool:
        left = self._steps[self.position :]
        return any(
            each.command is None or each.command[:4] == command[:4] for each in left
        ) or not any(each.ins == 0xB2 for each in self._steps)

    def _matches(self, command: bytes, recorded: bytes | None) -> bool:
        if recorded is None or command == recorded:
            return True
        if self._exact:
            # A source that does not pad its numeric random number as kernel 2 has to says so.
            padded = self._forgiven and command[1] == 0x2A and len(command) == len(recorded)
            return padded and command[:5] == recorded[:5] and command[-1] == recorded[-1]
        if len(recorded) > 4 and command[1] in _FILLED_BY_TERMINAL:
            return command[:2] == recorded[:2] and command[4] == recorded[4]
        # Le is the transport's business: contact readers learn it from 6Cxx.
        ours = command[:-1]
        return ours == recorded[: len(ours)] and len(recorded) - len(command) in {-1, 0}


def _shown(command: bytes | None) -> str:
    return "nothing more" if command is None else upper(command[:24])


def _for_information(command: bytes | None) -> bool:
    """Whether a command is one that only a collecting reader sends."""
    if command is None:
        return False
    selects = command[1] == 0xA4 and b"SYS.DDF" in command
    return command[1] == 0xCA or command[:2] == b"\x00\xb2" or selects


def replay(content: Json) -> str:
    """Runs our terminal against one dialogue.

    Raises:
        Mismatch: a command, the account or the outcome differs.
        OutOfScope: no contactless terminal has this dialogue to its end.
    """
    if content.get("interface") == "contact":
        raise OutOfScope("a contact card: PIN, external authentication and a second cryptogram")
    if "equivalent_to" in content.get("expected", {}):
        raise OutOfScope("T=0 frames of another dialogue")
    steps = steps_of(content)
    terminal = content.get("terminal")
    if terminal and terminal.get("configuration"):
        return _exactly(content, steps)
    return _leniently(content, steps)


def run(request: TransactionRequest, settings: ReaderSettings, card: RecordedCard) -> Outcome:
    """One tap of our terminal on a recorded card; its clock ticks a millisecond a look.

    Raises:
        OffTheRecord: the terminal sent what the recording does not have there.
    """
    ticks = _ticks()
    return converse(transact(request, settings), card, monotonic=lambda: next(ticks)).result


def played(content: Json) -> tuple[Outcome, RecordedCard]:
    """A dialogue played with the terminal that it states, or else with one that fits.

    Raises:
        OffTheRecord: as ``run``.
    """
    steps, terminal = steps_of(content), content.get("terminal")
    if terminal and terminal.get("configuration"):
        notes = " ".join(content.get("notes", [])).lower()
        forgiven = "unpredictable" in notes or "padd" in notes
        card = RecordedCard(steps, exact=True, forgiven=forgiven)
        return run(*stated_terminal(content), card), card
    seen = applications(steps)
    card = RecordedCard(with_directory(steps, seen), exact=False)
    return run(*fitting_terminal(content, seen), card), card


def applications(steps: Sequence[Step]) -> list[Seen]:
    """What a dialogue says of each application, its directory left out."""
    return [each for each in witness.read_dialogue(steps) if each.selected not in {PPSE, b""}]


def _exactly(content: Json, steps: Sequence[Step]) -> str:
    try:
        outcome, card = played(content)
    except OffTheRecord as off:
        raise Mismatch(str(off)) from off
    same("the exchanges", card.position, len(steps))
    seen = witness.read_dialogue(steps)
    _same_outcome(content, outcome, seen[-1])
    return f"{outcome.decision.value}: {outcome.reason}"


def _same_outcome(content: Json, outcome: Outcome, seen: Seen) -> None:
    expected = content["expected"]
    information = seen.first(tags.CRYPTOGRAM_INFORMATION_9F27)
    stated = str(expected.get("outcome", "")).lower()
    if information is not None:
        wanted = _EXACT.get(information[0] & 0xC0, "")
        agreed = wanted == outcome.decision.value or outcome.decision.value in stated
        require(agreed, f"the outcome: expected {stated or wanted}, found {outcome.decision.value}")
    if outcome.decision not in _GOES_ON:
        return
    _same_card(expected, outcome)
    authenticated: dict[str, Json] = next(iter(expected.get("applications", [])), {})
    signed = authenticated.get("offline_data_authentication", {}).get("cda", {})
    cryptogram = signed.get("application_cryptogram") or upper(
        seen.first(tags.CRYPTOGRAM_9F26) or b""
    )
    same("9F26", upper(outcome.chip_data.get(tags.CRYPTOGRAM_9F26, b"")), cryptogram)
    if "aip" in authenticated:
        same("82", upper(outcome.chip_data.get(tags.AIP_82, b"")), authenticated["aip"])
    if "aid" in authenticated and outcome.application:
        same("the application", upper(outcome.application.aid), authenticated["aid"])


def _same_card(expected: Json, outcome: Outcome) -> None:
    """The account that the outcome hands on is one that the file states."""
    require(outcome.card, "the outcome has no account")
    stated = [each["pan"] for each in expected.get("applications", []) if "pan" in each]
    if "pan" in expected.get("reader_result", {}):
        stated.append(expected["reader_result"]["pan"])
    if outcome.card is not None and stated:
        found = outcome.card.pan.reveal()
        same_account("the account", found if found in stated else None, found)


def _leniently(content: Json, steps: Sequence[Step]) -> str:
    try:
        outcome, card = played(content)
    except OffTheRecord as off:
        raise OutOfScope(f"the recording has no command of a kernel there: {off}") from off
    _allowed(content["expected"], outcome, applications(steps))
    more = f"; {card.supplied} records that the source left out were empty" if card.supplied else ""
    return f"{outcome.decision.value}: {outcome.reason}{more}"


def _allowed(expected: Json, outcome: Outcome, seen: Sequence[Seen]) -> None:
    """Requires an outcome that the dialogue allows."""
    stated = str(expected.get("outcome", "")).lower()
    state = expected.get("reader_result", {}).get("card_state", "")
    if "again" in stated:
        same("the outcome", outcome.decision, Decision.TRY_AGAIN)
    if "see phone" in stated:
        same("the message", outcome.ui.message if outcome.ui else None, MessageId.SEE_PHONE)
    if (
        "no card data" in stated
        or "no transaction data" in stated
        or state in {"LOCKED", "UNKNOWN"}
    ):
        require(outcome.card is None, "a card that gave nothing was handed on")
    if outcome.decision not in _GOES_ON or outcome.application is None:
        return
    _same_card(expected, outcome)
    own = [each for each in seen if each.df_name == outcome.application.aid]
    values = [each.first(tags.CRYPTOGRAM_INFORMATION_9F27) for each in own]
    information = next((each for each in values if each), None)
    if information is not None:
        allowed = _ALLOWED.get(information[0] & 0xC0, frozenset())
        require(
            outcome.decision in allowed, f"the card's cryptogram forbids {outcome.decision.value}"
        )


def with_directory(steps: Sequence[Step], seen: Sequence[Seen]) -> Sequence[Step]:
    """The steps behind a directory: one is made of the names selected where none was recorded."""
    if any(step.ins == 0xA4 and step.body == PPSE for step in steps):
        return steps
    entries = b"".join(
        encode(0x61, encode(0x4F, name)) for name in dict.fromkeys(each.selected for each in seen)
    )
    name = encode(0x84, PPSE) + encode(0xA5, encode(0xBF0C, entries))
    select = bytes.fromhex("00A404000E") + PPSE + b"\0"
    return [Step(select, encode(0x6F, name) + b"\x90\x00"), *steps]
