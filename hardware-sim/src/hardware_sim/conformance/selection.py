"""Directories, options, records and single refused answers (``selection``, ``negative``).

Rules of this file: contact selection (PSE, T=0 procedure bytes) is no part of a contactless
terminal, so its cases are not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    kinds,
    objects,
    refused,
    require,
    same,
    unhex,
    upper,
)
from hardware_sim.conformance.dialogue import run_exactly
from terminal.emv import application as app
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.entry_point import transact
from terminal.emv.kernels.activation import Activation, refused_options
from terminal.emv.outcome import Decision, Outcome, Start
from terminal.emv.preprocessing import pre_process
from terminal.emv.selection import PPSE, Candidate, candidates, directory, parse_fci
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.emv.tlv import encode
from terminal.errors import CardError
from terminal.money import Amount, Currency

_ONE_EURO = TransactionRequest(
    Amount(100, Currency.of("EUR")), datetime(2026, 1, 1, tzinfo=UTC), bytes(4)
)
_VISA = bytes.fromhex("A0000000031010")


def _without_status(answer: bytes) -> bytes:
    return answer.removesuffix(b"\x90\x00")


def _order(content: Json) -> str:
    found = directory(_without_status(unhex(content["ppse_response"])))
    reader = [Combination(each.adf_name, each.kernel_id or 3, "any") for each in found]
    shared = candidates(found, reader)
    same("the order", [upper(each.adf_name) for each in shared], content["expected_order"])
    stated = content.get("expected_labels")
    if stated is not None:
        in_order = [each.label for each in shared]
        if in_order != stated:
            same("the labels", [each.label for each in found], stated)
    return ""


def _order_cases(document: Document, _: Library) -> Iterator[Case]:
    content = document.content
    for case in content.get("cases") or [content]:
        yield Case(
            case.get("name") or "candidate list",
            "the candidates of a directory, best first",
            partial(_order, case),
        )


def _activation(fci: bytes, terminal: dict[int, bytes]) -> Activation:
    selected = parse_fci(_without_status(fci))
    combination = Combination(selected.df_name, 3, "any")
    return Activation(
        request=_ONE_EURO,
        settings=ReaderSettings(978, (combination,)),
        combination=combination,
        indicators=pre_process(combination, _ONE_EURO.amount),
        application=app.Application.selected(
            Candidate(selected.df_name, "", combination), selected
        ),
        terminal=terminal,
    )


def _options(case: Json, sources: Json) -> str:
    terminal: dict[int, bytes] = {}
    for source in sources.values():
        terminal = objects(source) | terminal
    expected = case["expected"]
    outcome = str(expected.get("outcome", "")).lower()
    activation = _activation(unhex(case["fci"]), terminal)
    application = activation.application
    exchanges = case.get("exchanges", [])

    def whole() -> Outcome | None:
        response = run_exactly(app.get_processing_options(application, terminal), exchanges)
        if not response.ok:
            return refused_options(activation, response.sw)
        app.take_processing_options(application, response.data)
        return None

    if "error" in outcome:
        try:
            ended = whole()
        except CardError as refusal:
            return f"refused: {refusal.message}"
        require(ended and ended.decision is Decision.END_APPLICATION, "the card was not refused")
        return f"ended: {ended.reason if ended else ''}"
    ended = whole()
    if ended is not None:
        wanted = {"remove": Decision.SELECT_NEXT, "next": Decision.SELECT_NEXT}
        decision = next((d for word, d in wanted.items() if word in outcome), None)
        same("the outcome", ended.decision, decision or Decision.END_APPLICATION)
        return f"ended: {ended.reason}"
    if "aip" in expected:
        same("the AIP (82)", upper(application.aip), expected["aip"])
    if "afl" in expected:
        same("the AFL (94)", upper(application.objects.get(0x94, b"")), expected["afl"])
    require(not outcome or "success" in outcome or "ok" in outcome, f"expected: {outcome}")
    return ""


def _options_cases(document: Document, _: Library) -> Iterator[Case]:
    shared = document.content.get("data_sources_in_priority_order", {})
    for case in document.content["cases"]:
        sources = case.get("data_sources_in_priority_order", shared)
        yield Case(
            case["name"],
            "GET PROCESSING OPTIONS: the command, the AIP and the AFL",
            partial(_options, case, sources),
        )


def _records(case: Json) -> str:
    """These cases say in their names what is to come: an error, no authentication, success."""
    expected = f"{case.get('name', '')} {case.get('expected', '')}".lower()
    application = _activation(encode(0x6F, encode(0x84, _VISA) + b"\xa5\x00"), {}).application

    def whole() -> None:
        entries = app.parse_afl(unhex(case["afl"]))
        run_exactly(app.read_records(application, entries), case["exchanges"])

    if "error" in expected:
        return f"refused: {refused('the records', whole, by=CardError)}"
    whole()
    if "fail" in expected:
        require(app.static_data(application) is None, "offline authentication is still possible")
        return "read; offline data authentication cannot succeed any more"
    require(app.static_data(application) is not None, "the static data cannot be built")
    return ""


def _records_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            case["name"],
            "READ RECORD: the commands, and what breaks the rules",
            partial(_records, case),
        )


def _contact_cases(document: Document, _: Library) -> Iterator[Case]:
    def not_run() -> str:
        raise OutOfScope("contact selection (PSE, T=0): a contactless reader has neither")

    for case in document.content["cases"]:
        yield Case(case["name"], "contact application selection", not_run)


def _fci(name: bytes, *rest: bytes) -> bytes:
    return encode(0x6F, encode(0x84, name) + encode(0xA5, b"".join(rest)))


# What comes before the answer that a case puts in place: the steps of a plain Visa tap.
_STEPS: dict[str, bytes] = {
    "SELECT PPSE": _fci(
        PPSE, encode(0xBF0C, encode(0x61, encode(0x4F, _VISA) + encode(0x87, b"\x01")))
    ),
    "SELECT AID": _fci(_VISA, encode(0x9F38, bytes.fromhex("9F66049F02069F37045F2A02"))),
    "GET PROCESSING OPTIONS": encode(
        0x77,
        encode(0x82, bytes.fromhex("2000"))
        + encode(0x94, bytes.fromhex("08010100"))
        + encode(0x9F26, bytes(8))
        + encode(0x9F36, bytes.fromhex("0001"))
        + encode(0x9F10, bytes.fromhex("06011203A00000"))
        + encode(0x9F27, b"\x80"),
    ),
    "READ RECORD": b"",
}


def _interrupted(step: str, answer: bytes) -> Outcome:
    """A tap whose step ``step`` is answered with ``answer``."""
    settings = ReaderSettings(978, (Combination(_VISA, 3, "Visa"),))
    dialogue: Dialogue[Outcome] = transact(_ONE_EURO, settings)
    names = list(_STEPS)
    if step not in names:
        raise OutOfScope(f"no contactless kernel here sends {step}")
    try:
        next(dialogue)
        for name in names:
            if name == step:
                sent: Command = dialogue.send(Response.decode(answer))
                raise Mismatch(f"after it the terminal went on with {sent.name}")
            dialogue.send(Response(_STEPS[name], 0x9000))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    raise Mismatch("the tap ended before its step")


def _negative(case: Json) -> str:
    step = case["after_command"].upper()
    outcome = _interrupted(step, unhex(case["response"]))
    require(
        outcome.decision
        in {
            *(Decision.END_APPLICATION, Decision.SELECT_NEXT, Decision.DECLINED),
            *(Decision.TRY_AGAIN, Decision.TRY_ANOTHER_INTERFACE),
        },
        f"the tap ended as {outcome.decision.value}",
    )
    require(outcome.card is None, "a refused card was handed on")
    require(outcome.start is not Start.A, "the terminal would start anew by itself")
    return f"{outcome.decision.value}: {outcome.reason}"


def _negative_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            f"{case['after_command']} answered with {case['response']}"[:60],
            f"refused: {case['expected']}",
            partial(_negative, case),
        )


_Cases = Callable[[Document, Library], Iterator[Case]]


def _format(kind: str, title: str, cases: _Cases) -> Format:
    return Format(kind, title, kinds(kind), cases)


FORMATS = (
    _format("candidate_order", "Candidate lists", _order_cases),
    _format("get_processing_options", "GET PROCESSING OPTIONS", _options_cases),
    _format("read_application_data", "READ RECORD", _records_cases),
    _format("contact_candidate_list", "Contact candidate lists", _contact_cases),
    _format("contact_final_selection", "Contact final selection", _contact_cases),
    _format("negative_card_answers", "Card answers to reject", _negative_cases),
)
"""The formats of this file."""
