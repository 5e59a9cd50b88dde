"""Entry Point against a recorded suite of Book A and Book B (``entry_point/*``).

Rules of this file: each run is played whole, and the events must be the recorded ones: field,
words on the display, commands, kernel, TTQ, indicators, outcome, restart. The kernel is the
suite's own: it sends what was recorded and hands over the outcome that its card answered with.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    kinds,
    same,
    unhex,
    upper,
)
from terminal.emv import dol, session, tags
from terminal.emv.apdu import Command, Response
from terminal.emv.outcome import Cvm, Decision, MessageId, Start, UiRequest, UiStatus
from terminal.emv.session import KernelStart, OnlineResponse, OutcomeParameters, Shown
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.emv.tlv import read_tag, split
from terminal.money import Amount, Currency

# The source counts whole units of its currency; yen have no smaller one.
_YEN = Currency.of("JPY")

_DECISIONS = {
    0: None,
    1: Decision.SELECT_NEXT,
    2: Decision.TRY_AGAIN,
    3: Decision.APPROVED,
    4: Decision.DECLINED,
    5: Decision.ONLINE_REQUEST,
    6: Decision.TRY_ANOTHER_INTERFACE,
    7: Decision.END_APPLICATION,
}
_STARTS = {0: Start.NONE, 0x0A: Start.A, 0x0B: Start.B, 0x0C: Start.C, 0x0D: Start.D}
_ONLINE = {0: OnlineResponse.NONE, 1: OnlineResponse.EMV_DATA, 2: OnlineResponse.ANY}
_CVMS = {
    0: Cvm.NOT_APPLICABLE,
    1: Cvm.NONE,
    2: Cvm.ONLINE_PIN,
    3: Cvm.SIGNATURE,
    4: Cvm.CONFIRMATION_CODE,
}
_STATUSES = {
    1: UiStatus.NOT_READY,
    2: UiStatus.IDLE,
    3: UiStatus.READY_TO_READ,
    4: UiStatus.PROCESSING,
    5: UiStatus.CARD_READ,
    6: UiStatus.PROCESSING_ERROR,
}
_QUALIFIERS = {0: "", 1: "Amount", 2: "Balance"}
_PARAMETERS, _ON_OUTCOME, _ON_RESTART = 0xD4, 0xD5, 0xD6
_STATUS_WORDS = {
    UiStatus.NOT_READY: "Not Ready",
    UiStatus.IDLE: "Idle",
    UiStatus.READY_TO_READ: "Ready to Read",
    UiStatus.PROCESSING: "Processing",
    UiStatus.CARD_READ: "Card Read Successfully",
    UiStatus.PROCESSING_ERROR: "Processing Error",
}
_DECISION_WORDS = {
    None: "N/A",
    Decision.APPROVED: "Approved",
    Decision.DECLINED: "Declined",
    Decision.ONLINE_REQUEST: "Online Request",
    Decision.END_APPLICATION: "End Application",
    Decision.TRY_ANOTHER_INTERFACE: "Try Another Interface",
    Decision.TRY_AGAIN: "Try Again",
    Decision.SELECT_NEXT: "Select Next",
}
_CVM_WORDS = {
    Cvm.NOT_APPLICABLE: "N/A",
    Cvm.NONE: "No CVM",
    Cvm.SIGNATURE: "Obtain Signature",
    Cvm.ONLINE_PIN: "Online PIN",
    Cvm.CONFIRMATION_CODE: "Confirmation Code Verified",
}


def _shown(value: bytes) -> Shown:
    """A user interface request as the suite's kernel has it: D5 and D6, fifteen bytes."""
    request = UiRequest(MessageId(value[0]), _STATUSES[value[1]], int.from_bytes(value[2:4]) or 0)
    qualifier = _QUALIFIERS[value[6]]
    if not qualifier:
        return Shown(request)
    return Shown(request, qualifier, value[7:13].hex(), value[13:15].hex())


def _value(raw: bytes) -> bytes:
    """The value of one encoded object with a short length."""
    _, at = read_tag(raw, 0)
    return raw[at + 1 + (raw[at] & 0x7F if raw[at] & 0x80 else 0) :]


def parameters(answer: bytes) -> OutcomeParameters:
    """The outcome that the suite's test card put into its answer (template 77: D4, D5, D6)."""
    # The suite's scripts (71, 72) hold no TLV, so templates stay closed here.
    ((_, template),) = split(answer)
    pieces = split(_value(template))
    found = {tag: _value(raw) for tag, raw in pieces}
    coded = found[_PARAMETERS]
    own = {_PARAMETERS, _ON_OUTCOME, _ON_RESTART}
    record = b"".join(raw for tag, raw in pieces if tag not in own)
    off = int.from_bytes(coded[6:8])
    return OutcomeParameters(
        decision=_DECISIONS[coded[0]],
        start=_STARTS[coded[1]],
        online_response=_ONLINE[coded[2]],
        cvm=_CVMS[coded[3]],
        receipt=bool(coded[5]),
        ui=_shown(found[_ON_OUTCOME]) if _ON_OUTCOME in found else None,
        restart_ui=_shown(found[_ON_RESTART]) if _ON_RESTART in found else None,
        data_record=record,
        field_off_ms=None if off == 0xFFFF else 100 * off,
        removal_timeout=int.from_bytes(coded[8:10]),
    )


@dataclass(slots=True)
class _Play:
    """One run while it is played: what was recorded, and how far it has come."""

    recorded: list[dict[str, Any]] = field(repr=False)
    at: int = 0
    answer: bytes | None = field(default=None, repr=False)

    def peek(self) -> dict[str, Any]:
        """The event that is due, or one of no kind at the end."""
        return self.recorded[self.at] if self.at < len(self.recorded) else {"event": "the end"}

    def event(self, **found: Any) -> dict[str, Any]:
        """Requires that the event that is due is this one; keys that are given are compared."""
        due = self.peek()
        where = f"event {self.at + 1}"
        same(where, found["event"], due["event"])
        for name, value in found.items():
            same(f"{where} ({due['event']}), {name}", value, due.get(name))
        self.at += 1
        return due


def _ui(shown: Shown) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message_id": f"{shown.request.message.value:02X}",
        "status": _STATUS_WORDS[shown.request.status],
        "hold_time": shown.request.hold_time_ms or None,
        "value_qualifier": shown.qualifier or None,
        "value": shown.value or None,
        "currency_code": shown.currency or None,
    }
    return found


def _kernel(play: _Play, begun: KernelStart) -> Generator[Command, Response, OutcomeParameters]:
    """The suite's own kernel: says what it was handed, sends one command, ends as it is told."""
    indicators = begun.activation.indicators
    flags = {
        "status_check_requested": indicators.status_check,
        "contactless_application_not_allowed": not indicators.allowed,
        "zero_amount": indicators.zero_amount,
        "reader_cvm_required_limit_exceeded": indicators.cvm_required,
        "reader_contactless_floor_limit_exceeded": indicators.floor_limit_exceeded,
    }
    kernel_id = begun.activation.combination.kernel_id
    due = play.event(
        event="activate_kernel",
        start=begun.start.value,
        restart_flag=begun.restarted,
        aid=upper(begun.activation.application.candidate.selected_by),
        kernel_id=f"{kernel_id:02X}" if kernel_id < 0x100 else f"{kernel_id:06X}",
        select_sw=f"{begun.select_response.sw:04X}",
        ttq_9F66=upper(indicators.ttq),
        transaction_type_9C=f"{begun.activation.request.transaction_type:02X}",
        amount_authorised=begun.activation.request.amount.minor,
        amount_other=begun.activation.request.other_minor,
        fci=upper(begun.select_response.data),
        online_response=upper(begun.online_data) or None,
    )
    stated = sorted(due["pre_processing_indicators"])
    same("the indicators", sorted(name for name, is_set in flags.items() if is_set), stated)
    sent = play.event(event="test_kernel_apdu")
    _same_terminal_data(begun, unhex(sent["command"]))
    play.answer = unhex(sent["response"])
    yield Command.decode(unhex(sent["command"]))
    return parameters(unhex(sent["response"])[:-2])


# What the suite's kernel puts into its command from Entry Point's hands; the rest is its own.
_HANDED_OVER = (0x9F66, 0x9F02, 0x9F03, 0x9C, 0x9F2A)


def _same_terminal_data(begun: KernelStart, command: bytes) -> None:
    """Requires the terminal's data objects where the recorded command is the filled PDOL."""
    entries = dol.parse(begun.activation.application.objects.get(tags.PDOL_9F38, b""))
    data = command[5 : 5 + command[4]] if len(command) > 5 else b""
    if sum(entry.length for entry in entries) != len(data):
        return
    for entry, piece in zip(entries, dol.split(entries, data), strict=True):
        if entry.tag in _HANDED_OVER:
            ours = dol.fit(entry.tag, begun.activation.terminal[entry.tag], entry.length)
            same(f"{entry.tag:X} in the kernel's command", upper(ours), upper(piece))


def _perform(play: _Play, action: session.Action | Command) -> session.Sent:
    """Does one action as the trace says it went, and returns what came of it."""
    match action:
        case session.FieldOff(hold_ms) if hold_ms:
            play.event(event="field_off", hold_time=hold_ms)
        case session.FieldOff():
            play.event(event="field_off")
        case session.FieldOn():
            play.event(event="field_on")
            if play.peek()["event"] == "wait_for_card":
                return bool(play.event(event="wait_for_card")["result"] == "one card")
            return True
        case session.WaitForOneCard():
            play.event(event="wait_for_card", result="one card")
        case session.Show(shown):
            play.event(event="ui_request", **_ui(shown))
        case session.Report(parameters):
            _reported(play, parameters)
        case session.GoOnline(parameters):
            # The suite's host sends back what it was sent.
            return parameters.data_record
        case session.Restart():
            play.event(event="restart")
        case Command():
            return _answered(play, action)
    return None


def _answered(play: _Play, command: Command) -> Response:
    answer, play.answer = play.answer, None
    if answer is not None:
        return Response.decode(answer)
    due = play.event(event="apdu", command=upper(command.encode()))
    if due["response"] is None:
        raise OutOfScope("the recorded card was lost here")
    return Response.decode(unhex(due["response"]))


def _reported(play: _Play, found: OutcomeParameters) -> None:
    on_outcome = {k: v for k, v in _ui(found.ui).items() if v is not None} if found.ui else None
    on_restart = (
        {k: v for k, v in _ui(found.restart_ui).items() if v is not None}
        if found.restart_ui
        else None
    )
    due = play.event(
        event="outcome",
        outcome=_DECISION_WORDS[found.decision],
        start=found.start.value,
        online_response=found.online_response.value,
        cvm=_CVM_WORDS[found.cvm],
        receipt=found.receipt,
        field_off_request=None if found.field_off_ms is None else found.field_off_ms // 100,
        removal_timeout=found.removal_timeout,
        data_record=upper(found.data_record) or None,
    )
    for name, shown in (
        ("ui_request_on_outcome", on_outcome),
        ("ui_request_on_restart", on_restart),
    ):
        stated = due.get(name)
        if stated is not None:
            stated = {key: value for key, value in stated.items() if key != "message"}
        same(name, shown, stated)


def _drive(play: _Play, reader: session.Reader[Any]) -> None:
    try:
        action = next(reader)
        while True:
            action = reader.send(_perform(play, action))
    except StopIteration:
        return
    finally:
        reader.close()


def combinations(setting: Json, kind: str) -> tuple[Combination, ...]:
    """The reader's combinations for a transaction type, in the order that the source asks them."""
    # The source keeps its sets in a list that grows at the front.
    return tuple(
        _combination(pair, each["configuration"])
        for each in reversed(setting["combination_sets"])
        if kind in each["transaction_types"]
        for pair in each["combinations"]
    )


def _combination(pair: Mapping[str, str], stated: Json) -> Combination:
    floor = stated.get("reader_contactless_floor_limit", stated.get("terminal_floor_limit"))
    limit = stated.get("reader_contactless_transaction_limit")
    return Combination(
        aid=unhex(pair["aid"]),
        kernel_id=int(pair["kernel_id"], 16),
        scheme="test",
        ttq=unhex(stated["ttq_9F66"]) if "ttq_9F66" in stated else None,
        contactless_limit_minor=limit,
        on_device_limit_minor=limit,
        cvm_limit_minor=stated.get("reader_cvm_required_limit"),
        floor_limit_minor=floor,
        zero_amount_allowed=stated.get("zero_amount_allowed", True),
        status_check=stated.get("status_check_supported", False),
        extended_selection=stated.get("extended_selection_supported", False),
    )


def _setting(name: str, document: Document, library: Library) -> Json:
    """A reader's configuration by its name; a file in the same folder is asked first."""
    files = sorted(
        library.of_kind("entry_point_terminal_settings"),
        key=lambda each: each.path.parent != document.path.parent,
    )
    own = document.content.get("settings") or []
    for listed in (own, *(each.content["settings"] for each in files)):
        for setting in listed:
            if setting["name"] == name:
                return setting
    raise OutOfScope(f"the terminal setting {name!r} is not here")


def _run(run: Json, document: Document, library: Library) -> str:
    setting = _setting(run["terminal_setting"], document, library)
    play = _Play(run["expected_events"])
    stated = run["transactions"]
    asked = [setting["autorun"]] if stated == "autorun" else stated
    for number, each in enumerate(asked, 1):
        autorun = play.peek()["event"] == "field_on" and bool(setting.get("autorun"))
        if autorun:
            each = setting["autorun"]  # noqa: PLW2901 - an amount of the reader's own
        _drive(play, session.idle(autorun=autorun))
        play.event(event="start")
        kind = each["transaction_type_9C"]
        reader = ReaderSettings(392, combinations(setting, kind))
        request = TransactionRequest(
            Amount(each["amount_authorised"], _YEN),
            datetime(2016, 11, 1, tzinfo=UTC),
            bytes(4),
            int(kind, 16),
            each.get("amount_other") or 0,
        )
        kernels = {each.kernel_id: partial(_kernel, play) for each in reader.combinations}
        _drive(play, session.Session(request, reader, kernels, autorun=autorun).run())
        play.event(event="transaction_end")
        if number < len(asked) and play.peek()["event"] == "the end":
            break
    if play.at != len(play.recorded):
        raise Mismatch(f"{len(play.recorded) - play.at} recorded events never happened")
    return f"{len(play.recorded)} events"


def _cases(document: Document, library: Library) -> Iterator[Case]:
    content = document.content
    title = str(content.get("title", document.path.stem))
    for run in content["runs"]:
        yield Case(
            f"{title} ({run.get('case', '')})",
            "candidates, TTQ, kernel, start, outcome and display, event by event",
            partial(_run, run, document, library),
        )


def _no_cases(_: Document, __: Library) -> Iterator[Case]:
    yield from ()


FORMATS = (
    Format("entry_point_trace", "Entry Point", kinds("entry_point_trace"), _cases),
    Format("support", "Tables", kinds("entry_point_terminal_settings"), _no_cases),
)
"""The formats of this file."""
