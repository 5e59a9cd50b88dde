"""A kernel run at any of its steps: the application and the terminal's data as a table has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terminal.emv.application import Application
from terminal.emv.converse import converse
from terminal.emv.entry_point import ReaderSettings
from terminal.emv.kernels import activation as act
from terminal.emv.kernels.activation import Activation
from terminal.emv.preprocessing import pre_process, terminal_objects
from terminal.emv.selection import Candidate
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import MASTERCARD, VISA, ScriptedCard

Values = Mapping[int, str | bytes]

ACCOUNT: Values = {0x5A: scheme.PAN, 0x5F24: "491231"}


def bytes_of(values: Values) -> dict[int, bytes]:
    return {
        tag: bytes.fromhex(value) if isinstance(value, str) else value
        for tag, value in values.items()
    }


def activation(
    kernel_id: int = 2,
    objects: Values | None = None,
    terminal: Values | None = None,
    *,
    aip: str = "0000",
    minor: int = 1250,
    label: str = "",
    settings: ReaderSettings | None = None,
    asked: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Activation:
    """``objects`` are the card's, ``terminal`` the terminal's beside those of pre-processing."""
    name = VISA if kernel_id == 3 else MASTERCARD
    reader = settings or scheme.settings(name, kernel_id, **changes)
    (combination,) = reader.combinations
    request = scheme.request(minor, **(asked or {}))
    indicators = pre_process(combination, request.amount)
    application = Application(Candidate(name, label, combination), df_name=name)
    application.aip = bytes.fromhex(aip)
    for tag, value in bytes_of(objects or {}).items():
        application.objects.put(tag, value)
    own = terminal_objects(request, reader, combination, indicators.ttq)
    own |= bytes_of(terminal or {})
    return Activation(request, reader, combination, indicators, application, own)


def account_of(sequence: int | None = 1) -> Any:
    objects: dict[int, str | bytes] = {0x5A: scheme.PAN, 0x5F24: "491231"}
    if sequence is not None:
        objects[0x5F34] = bytes((sequence,))
    return act.account(activation(3, objects))


def ran(dialogue: Any, card: ScriptedCard) -> Any:
    return converse(dialogue, card, monotonic=lambda: 0.0).result
