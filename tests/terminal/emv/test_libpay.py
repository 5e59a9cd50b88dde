"""Entry Point against the traces of libpay's own suite (its EMVCo Book A and B test cases).

A trace goes over several taps; each is replayed up to the outcome that ends it. The kernel is
a stand-in that sends what the source's test kernel sent and ends as that one ended, so what is
compared is ours: the commands, the kernel chosen, the indicators, the TTQ and the outcomes that
Entry Point makes itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from terminal.emv import entry_point
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.converse import converse
from terminal.emv.entry_point import (
    Combination,
    ReaderSettings,
    TransactionRequest,
    transact,
)
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Decision, Outcome
from terminal.money import Amount, Currency
from tests.conftest import require_vectors
from tests.terminal.emv.replay import Clock, TranscriptMismatch, load

# The source counts whole units of its currency; yen have no smaller one.
YEN = Currency.of("JPY")
PPSE = "00A404000E325041592E5359532E444446303100"
DECISIONS = {
    "Approved": Decision.DECLINED,  # needs an account, which a stand-in kernel has not
    "Declined": Decision.DECLINED,
    "Online Request": Decision.DECLINED,
    "End Application": Decision.END_APPLICATION,
    "Select Next": Decision.SELECT_NEXT,
    "Try Again": Decision.TRY_AGAIN,
    "Try Another Interface": Decision.TRY_ANOTHER_INTERFACE,
    "N/A": Decision.END_APPLICATION,
}


def vectors() -> list[str]:
    folder = require_vectors() / "emv" / "entry_point"
    return sorted(path.stem for path in folder.glob("2E*.json"))


def combinations(setting: dict[str, Any], kind: str) -> tuple[Combination, ...]:
    # The source keeps its sets in a list that grows at the front.
    return tuple(
        combination(pair, each["configuration"])
        for each in reversed(setting["combination_sets"])
        if kind in each["transaction_types"]
        for pair in each["combinations"]
    )


def combination(pair: dict[str, str], stated: dict[str, Any]) -> Combination:
    floor = stated.get("reader_contactless_floor_limit", stated.get("terminal_floor_limit"))
    limit = stated.get("reader_contactless_transaction_limit")
    return Combination(
        aid=bytes.fromhex(pair["aid"]),
        kernel_id=int(pair["kernel_id"], 16),
        scheme="test",
        ttq=bytes.fromhex(stated["ttq_9F66"]) if "ttq_9F66" in stated else None,
        contactless_limit_minor=limit,
        on_device_limit_minor=limit,
        cvm_limit_minor=stated.get("reader_cvm_required_limit"),
        floor_limit_minor=floor,
        zero_amount_allowed=stated.get("zero_amount_allowed", True),
        status_check=stated.get("status_check_supported", False),
        extended_selection=stated.get("extended_selection_supported", False),
    )


class TraceCard:
    """Answers the commands of one tap in the order of the trace."""

    technology = "trace"

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = iter(events)

    def exchange(self, command: bytes) -> bytes:
        for event in self._events:
            if event["event"] == "apdu" and bytes.fromhex(event["command"]) != command:
                raise TranscriptMismatch(f"sent {command.hex()}, traced {event['command']}")
            if event["event"] in {"apdu", "test_kernel_apdu"}:
                return bytes.fromhex(event["response"] or "9000")
        raise TranscriptMismatch(f"the trace ends before {command.hex()}")


def stand_in(events: list[dict[str, Any]]) -> Callable[[Activation], Dialogue[Outcome]]:
    """A kernel that checks what it is handed and ends as the trace says."""
    remaining = iter(events)

    def kernel(activation: Activation) -> Dialogue[Outcome]:
        handed = next(event for event in remaining if event["event"] == "activate_kernel")
        found = activation.indicators
        flags = {
            "status_check_requested": found.status_check,
            "contactless_application_not_allowed": not found.allowed,
            "zero_amount": found.zero_amount,
            "reader_cvm_required_limit_exceeded": found.cvm_required,
            "reader_contactless_floor_limit_exceeded": found.floor_limit_exceeded,
        }
        assert int(handed["kernel_id"], 16) == activation.combination.kernel_id
        candidate = activation.application.candidate
        assert candidate.selected_by.hex().upper() == handed["aid"]
        if handed["start"] == "B":
            # "Autorun" starts at B, without pre-processing; a tap here always has an amount.
            flags = {}
        else:
            assert found.ttq.hex().upper() == handed["ttq_9F66"]
        assert sorted(name for name, is_set in flags.items() if is_set) == sorted(
            handed["pre_processing_indicators"]
        )
        event = next(event for event in remaining if event["event"] != "activate_kernel")
        if event["event"] == "test_kernel_apdu":
            yield Command.decode(bytes.fromhex(event["command"]))
            event = next(event for event in remaining if event["event"] == "outcome")
        return Outcome(DECISIONS[event["outcome"]], "as traced")

    return kernel


def taps(
    run: dict[str, Any], setting: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each tap of a run: the transaction, and its events up to the outcome that ends it."""
    events: list[dict[str, Any]] = []
    transactions = iter(
        [setting["autorun"]] if run["transactions"] == "autorun" else run["transactions"]
    )
    asked: dict[str, Any] = next(transactions)
    for event in run["expected_events"]:
        if event["event"] == "transaction_end":
            asked = next(transactions, asked)
            events = []
        events.append(event)
        if event["event"] == "outcome" and event["outcome"] != "Select Next":
            yield asked, events
            events = []


@pytest.mark.parametrize("name", vectors())
def test_entry_point_like_libpay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = load(require_vectors() / "emv" / "entry_point" / "terminal_settings.json")
    known = {setting["name"]: setting for setting in stated["settings"]}
    found = load(require_vectors() / "emv" / "entry_point" / f"{name}.json")
    for run in found["runs"]:
        setting = known[run["terminal_setting"]]
        for asked, events in taps(run, setting):
            commands = [event for event in events if "command" in event]
            if commands and commands[0]["command"] != PPSE:
                # A restart at C or D, which this Entry Point leaves to a new tap.
                continue
            one_tap(setting, asked, events, monkeypatch)


def one_tap(
    setting: dict[str, Any],
    asked: dict[str, Any],
    events: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = asked["transaction_type_9C"]
    reader = ReaderSettings(392, combinations(setting, kind))
    kernel = stand_in(events)
    kernels = {each.kernel_id: kernel for each in reader.combinations}
    monkeypatch.setattr(entry_point, "KERNELS", MappingProxyType(kernels))
    request = TransactionRequest(
        Amount(asked["amount_authorised"], YEN),
        datetime(2016, 11, 1, tzinfo=UTC),
        bytes(4),
        int(kind, 16),
        asked.get("amount_other", 0),
    )
    outcome = converse(transact(request, reader), TraceCard(events), monotonic=Clock()).result
    last = events[-1]
    assert outcome.decision is DECISIONS[last["outcome"]], outcome.reason
