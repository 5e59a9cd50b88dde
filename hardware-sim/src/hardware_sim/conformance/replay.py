"""Our Entry Point and kernels against recorded cards.

Rules of this file: a dialogue that states its terminal is replayed byte for byte, to the same
outcome. Of the others the terminal is not known: headers and lengths have to match, what only a
collecting reader asks (GET DATA, log files) is passed over, and the outcome must be one that the
recorded cryptogram allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

from hardware_sim.conformance import kernel_settings
from hardware_sim.conformance.capk import trusted
from hardware_sim.conformance.case import (
    Json,
    Mismatch,
    OutOfScope,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from hardware_sim.conformance.dialogue_proof import steps_of
from terminal.emv import tags, witness
from terminal.emv.converse import converse
from terminal.emv.entry_point import KERNELS, transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Decision, MessageId, Outcome
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.emv.tlv import encode
from terminal.emv.witness import PPSE, Seen, Step
from terminal.errors import CardLost
from terminal.money import Amount, Currency

_FILLED_BY_TERMINAL = frozenset({0xA8, 0xAE, 0x2A, 0xEA})
_DEFAULT_KERNELS = {
    "A000000003": 3,
    "A000000004": 2,
    "A000000025": 4,
    "A000000065": 5,
    "A000000152": 6,
    "A000000324": 6,
    "A000000333": 7,
}
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


def _run(request: TransactionRequest, settings: ReaderSettings, card: RecordedCard) -> Outcome:
    ticks = _ticks()
    return converse(transact(request, settings), card, monotonic=lambda: next(ticks)).result


def stated_terminal(content: Json) -> tuple[TransactionRequest, ReaderSettings]:
    """Request and settings from the terminal that a dialogue states."""
    terminal = content["terminal"]
    moment = terminal.get("9A", "000101") + terminal.get("9F21", "000000")
    request = TransactionRequest(
        Amount(int(terminal["9F02"]), Currency.of_number(int(terminal["5F2A"]))),
        datetime.strptime(moment, "%y%m%d%H%M%S").replace(tzinfo=UTC),
        unhex(terminal.get("9F37", "00000000")),
        int(terminal.get("9C", "00"), 16),
        int(terminal.get("9F03") or 0),
    )
    configuration = terminal["configuration"]
    general = dict(configuration.get("terminal", {}))
    combinations, values = [], dict(general)
    for name, kernel in configuration.items():
        if not name.startswith("kernel_"):
            continue
        transaction = kernel["transaction_config"]
        own = {**kernel.get("config", {}), **kernel.get("application_config", {})}
        own |= {**transaction.get("config", {}), **kernel.get("override", {})}
        values |= {tag: value for tag, value in own.items() if value}
        made = kernel_settings.combination(kernel["kernelId"], transaction, own, kernel)
        combinations.append(made)
    return request, ReaderSettings(
        country_number=int(values["9F1A"]),
        combinations=tuple(combinations),
        terminal_type=int(values["9F35"], 16),
        capabilities=unhex(
            values.get("9F33") or values["DF8117"] + values["DF8119"] + values["DF811F"]
        ),
        additional_capabilities=unhex(values["9F40"]),
        ca_keys=(trusted(content.get("ca_public_keys")) or [CaKeys()])[0],
        luhn_required=False,
        data=_data_objects(values),
    )


def _data_objects(values: Json) -> dict[int, bytes]:
    """The terminal's own data objects, by tag; those that settings have a name for left out."""
    named = {0x9F1A, 0x9F33, 0x9F35, 0x9F40, 0x9F66, 0x9C, 0x9A, 0x5F2A, 0x5F36, 0x9F09}
    found = {int(tag, 16): unhex(value) for tag, value in values.items() if value}
    return {tag: value for tag, value in found.items() if tag not in named}


def _exactly(content: Json, steps: Sequence[Step]) -> str:
    request, settings = stated_terminal(content)
    notes = " ".join(content.get("notes", [])).lower()
    card = RecordedCard(steps, exact=True, forgiven="unpredictable" in notes or "padd" in notes)
    try:
        outcome = _run(request, settings, card)
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
    seen = [each for each in witness.read_dialogue(steps) if each.selected not in {PPSE, b""}]
    expected = content["expected"]
    request, settings = _guessed_terminal(content, seen)
    steps = _with_directory(steps, seen)
    card = RecordedCard(steps, exact=False)
    try:
        outcome = _run(request, settings, card)
    except OffTheRecord as off:
        raise OutOfScope(f"the recording has no command of a kernel there: {off}") from off
    _allowed(expected, outcome, seen)
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


def _with_directory(steps: Sequence[Step], seen: Sequence[Seen]) -> Sequence[Step]:
    """The steps behind a directory: one is made of the names selected where none was recorded."""
    if any(step.ins == 0xA4 and step.body == PPSE for step in steps):
        return steps
    entries = b"".join(
        encode(0x61, encode(0x4F, name)) for name in dict.fromkeys(each.selected for each in seen)
    )
    name = encode(0x84, PPSE) + encode(0xA5, encode(0xBF0C, entries))
    select = bytes.fromhex("00A404000E") + PPSE + b"\0"
    return [Step(select, encode(0x6F, name) + b"\x90\x00"), *steps]


def _guessed_terminal(
    content: Json, seen: Sequence[Seen]
) -> tuple[TransactionRequest, ReaderSettings]:
    """A terminal that sends what the recording one sent, as far as it can be seen."""
    values: dict[int, bytes] = {}
    for each in seen:
        values = witness.terminal_values(each) | values
    day = values.get(tags.DATE_9A, bytes.fromhex("160101")).hex()
    number = int(values.get(tags.CURRENCY_5F2A, bytes(2)).hex()) or 978
    try:
        at = datetime.strptime(day, "%y%m%d").replace(tzinfo=UTC)
    except ValueError:
        at = datetime(2016, 1, 1, tzinfo=UTC)
    request = TransactionRequest(
        Amount(int(values.get(tags.AMOUNT_9F02, b"\1").hex()), Currency.of_number(number)),
        at,
        values.get(tags.UNPREDICTABLE_NUMBER_9F37, bytes.fromhex("01020304")),
    )
    names = dict.fromkeys(each.selected for each in seen)
    combinations = tuple(
        _guessed_combination(name, kernel, values)
        for name in names
        if 5 <= len(name) <= 16 and (kernel := _kernel_of(name, seen)) in KERNELS
    )
    if any(each.checksums for each in seen):
        # The recording terminal took the card in mag-stripe mode, so this one does too.
        combinations = tuple(replace(each, mag_stripe_mode=True) for each in combinations)
    if not combinations:
        combinations = (Combination(bytes.fromhex("A0000000031010"), 3, "Visa"),)
    stores = trusted(content.get("ca_public_keys"))
    return request, ReaderSettings(
        country_number=int(values.get(tags.COUNTRY_9F1A, bytes(2)).hex()) or 250,
        combinations=combinations,
        terminal_type=values.get(tags.TERMINAL_TYPE_9F35, b"\x22")[0],
        ca_keys=stores[0] if stores else CaKeys(),
        luhn_required=False,
        data={tag: value for tag, value in values.items() if tag in tags.DOL_WHITELIST},
    )


def _kernel_of(name: bytes, seen: Sequence[Seen]) -> int:
    """The kernel of an application: by its RID, else by what its PDOL asks for."""
    known = _DEFAULT_KERNELS.get(upper(name[:5]))
    if known:
        return known
    lists = [each.first(tags.PDOL_9F38) for each in seen if name in {each.df_name, each.selected}]
    asks = any(each and b"\x9f\x66" in each for each in lists)
    beside = any(upper(each.selected[:5]) in _DEFAULT_KERNELS for each in seen)
    return 3 if asks or beside else 0


def _guessed_combination(name: bytes, kernel: int, values: dict[int, bytes]) -> Combination:
    stated = {
        "aid": name,
        "kernel_id": kernel,
        "scheme": f"kernel {kernel}",
        "floor_limit_minor": None,
        "cvm_limit_minor": 5000,
        # The recording terminals are older than the protocol.
        "relay_resistance_in_tvr": False,
    }
    if tags.TTQ_9F66 in values:
        stated["ttq"] = values[tags.TTQ_9F66]
    known = {each.name for each in fields(Combination)}
    return Combination(**{key: value for key, value in stated.items() if key in known})  # type: ignore[arg-type]  # one name, one type
