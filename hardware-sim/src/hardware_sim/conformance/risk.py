"""Processing restrictions and terminal risk management (``risk/*``)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    kinds,
    objects,
    same,
    unhex,
    upper,
)
from hardware_sim.conformance.dialogue import run_exactly
from terminal.emv.restrictions import processing_restrictions
from terminal.emv.risk_dialogue import LoggedSale, manage_risk


def _restrictions(case: Json) -> str:
    terminal = objects(case["terminal_configuration"] | case["transaction"])
    byte_2 = processing_restrictions(objects(case["card"]), terminal)
    same("the TVR (95)", f"00{byte_2:02X}000000", case["expected_tvr_95"])
    return ""


def _management(case: Json) -> str:
    terminal, sale = objects(case["terminal_configuration"]), objects(case["transaction"])
    log = tuple(
        LoggedSale(each["pan_cn"].rstrip("F"), each.get("pan_sequence"), each["amount"])
        for each in sorted(
            case.get("transaction_log", []), key=lambda entry: entry.get("date_yymmdd", "")
        )
    )
    floor = int.from_bytes(terminal.get(0x9F1B, bytes(4)))
    amount = int.from_bytes(sale[0x81]) if 0x81 in sale else int(sale[0x9F02].hex())
    found = run_exactly(
        manage_risk(objects(case["card"]), amount_minor=amount, floor_limit_minor=floor, log=log),
        case.get("exchanges", []),
    )
    same("the TVR (95)", upper(found.tvr), case["expected_tvr_95"])
    if "expected_tsi_9B" in case:
        same("the TSI (9B)", upper(found.tsi), upper(unhex(case["expected_tsi_9B"])))
    return ""


def _restrictions_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            case["name"],
            "dates, versions, usage: byte 2 of the TVR",
            partial(_restrictions, case),
        )


def _management_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            case["name"],
            "floor limit and velocity: the commands, the TVR and the TSI",
            partial(_management, case),
        )


FORMATS = (
    Format(
        "processing_restrictions",
        "Processing restrictions",
        kinds("processing_restrictions"),
        _restrictions_cases,
    ),
    Format(
        "terminal_risk_management",
        "Terminal risk management",
        kinds("terminal_risk_management"),
        _management_cases,
    ),
)
"""The formats of this file."""
