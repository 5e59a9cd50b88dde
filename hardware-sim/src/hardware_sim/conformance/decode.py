"""Values in words: bit fields, CVM lists, issuer data, tracks (``decode/*``, ``kernel_config``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    kinds,
    refused,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from terminal.emv import words
from terminal.emv.account import parse_track1, parse_track2
from terminal.emv.kernels.cvm_list import parse_cvm_list
from terminal.emv.outcome import MessageId, Start, UiStatus
from terminal.errors import CardError

_FILLERS = frozenset(
    {"the", "a", "an", "is", "was", "were", "be", "been", "by", "of", "icc", "card"}
)
_NEGATIONS = frozenset({"not", "no", "without", "failed", "unsuccessful"})
_ALIKE = 0.5


def _meaning(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z0-9]+", text.lower().replace("offline data authentication", "oda"))
    return frozenset(word.removesuffix("s") for word in found) - _FILLERS


def alike(one: str, other: str) -> bool:
    """Whether two statements mean the same: most of their words, and the same negations."""
    left, right = _meaning(one), _meaning(other)
    if left == right:
        return True
    if "unknown" in left | right:
        # A source that knows Book 3 alone has no word for kernel 2's "no CVM performed".
        return _meaning("no cvm performed") in {left, right} or "unknown" in left & right
    if bool(left & _NEGATIONS) != bool(right & _NEGATIONS):
        return False
    numbers = [{word for word in each if word.isdecimal()} for each in (left, right)]
    shared = len(left & right) / max(1, min(len(left), len(right)))
    # Ours may count its statements; the case's numbers have to be among them.
    return numbers[1] <= numbers[0] and shared > _ALIKE


def _says(ours: str, statement: str) -> bool:
    """Whether every word of a statement is in a line of ours."""
    return bool(_meaning(statement)) and _meaning(statement) <= _meaning(ours)


def _same_statements(found: Sequence[str], expected: Sequence[str]) -> list[str]:
    """Requires each expected statement; returns what is said beyond them."""
    left = list(found)
    for statement in expected:
        match = next((each for each in left if each.lower() == statement.lower()), None)
        match = match or next((each for each in left if alike(each, statement)), None)
        if match is None and any(_says(each, statement) for each in found):
            # One line of ours may say what the source says in several.
            continue
        if match is None:
            raise Mismatch(f"nothing says {statement!r}; found {left}")
        left.remove(match)
    return left


def _decoded(case: Json) -> str:
    head = re.match(r"[0-9A-Fa-f]+", case["tag"])
    require(head, f"{case['tag']!r} is no tag")
    tag = int(head.group() if head else "", 16)
    found = words.statements(tag, unhex(case["value"]))
    expected = case["expected"]
    more = _same_statements(found, [expected] if isinstance(expected, str) else expected)
    return f"also says: {'; '.join(more)}" if more else ""


def _decode_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            f"{case['tag']} = {case['value']}",
            "the same meaning",
            partial(_decoded, case),
        )


def _ttq(content: Json) -> str:
    for name, mask in content["bits"].items():
        found = words.statements(0x9F66, unhex(mask))
        require(len(found) == 1, f"{mask} is {len(found)} statements")
        said = name.replace("_", " ").replace("consumer device cvm", "consumer device cvm")
        require(alike(found[0], said), f"{mask}: expected {said!r}, found {found[0]!r}")
    return f"{len(content['bits'])} bits"


def _ttq_cases(document: Document, _: Library) -> Iterator[Case]:
    yield Case("9F66", "the meaning of each bit", lambda: _ttq(document.content))


def _cvm_list(case: Json) -> str:
    value = unhex(case["cvm_list_8E"])
    if "expected_rules" not in case:
        return f"refused: {refused('the list', lambda: parse_cvm_list(value), by=CardError)}"
    found = parse_cvm_list(value)
    rules = [[f"{rule.code:02X}", f"{rule.condition:02X}"] for rule in found.rules]
    same("the rules", rules, case["expected_rules"])
    for name, amount in (("amount_x", found.amount_x), ("amount_y", found.amount_y)):
        same(name, amount, case.get(name, amount))
    return ""


def _cvm_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            case["cvm_list_8E"],
            "amounts and rules of a CVM list",
            partial(_cvm_list, case),
        )


def _issuer_data(case: Json) -> str:
    found = words.issuer_application_data(unhex(case["iad_9F10"]), case.get("scheme", ""))
    for name, value in case["expected"].items():
        if name in found:
            same(name, upper(found[name]), value)
        else:
            values = {upper(each) for each in found.values()}
            require(value in values, f"{name}: no part is {value}")
    return ""


def _issuer_data_cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        yield Case(
            f"{case.get('scheme', '')} {case['iad_9F10']}".strip()[:60],
            "the parts of the issuer's data",
            partial(_issuer_data, case),
        )


def _track2(case: Json) -> str:
    text, expected = case["track2_57"], case["expected"]

    def parsed() -> tuple[str, str, str]:
        filled = text + "F" * (len(text) % 2)
        pan, expiry, track = parse_track2(unhex(filled))
        return pan.reveal(), expiry, track.reveal().partition("D")[2]

    if not expected.get("valid", True):
        return f"refused: {refused('the track', parsed, by=(CardError, ValueError))}"
    pan, expiry, rest = parsed()
    same_account("the account", pan, expected.get("pan", pan))
    same("the expiry", expiry, expected.get("expiry_yymm", expiry))
    same("the service code", rest[4:7], expected.get("service_code", rest[4:7]))
    same("the discretionary data", rest[7:], expected.get("discretionary", rest[7:]))
    return ""


def _track1_of(case: Json) -> bytes:
    """The track, without the end sentinel that one source leaves inside, behind the account."""
    return re.sub(rb"\?.(?=\^)", b"", unhex(case["track1_56"]))


def _track1(case: Json) -> str:
    expected = case["expected"]
    if not expected.get("valid", True):
        refused("the track", lambda: parse_track1(_track1_of(case)), by=CardError)
        return "refused"
    found = parse_track1(_track1_of(case))
    same_account("the account", found.pan.reveal(), expected.get("pan", found.pan.reveal()))
    same("the expiry", found.expiry_yymm, expected.get("expiry_yymm", found.expiry_yymm))
    same("the service code", found.service, expected.get("service_code", found.service))
    for name, value in zip(("last_name", "first_name"), (*found.name, "", ""), strict=False):
        if name in expected:
            same_account(name, value or None, expected[name])
    return ""


def _track_cases(document: Document, _: Library) -> Iterator[Case]:
    check = _track2 if document.kind == "track2" else _track1
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            case.get("name") or f"track {number}",
            "account, expiry and service code, or a refusal",
            partial(check, case),
        )


_TABLES = {
    "message_id": {f"{each.value:02X}" for each in MessageId},
    "kernel2_status": {f"{each.value:02X}" for each in UiStatus},
}


def _reference(content: Json) -> str:
    """The product's identifiers and starts are those of the table, and mean the same."""
    for name, ours in _TABLES.items():
        if name in content:
            same(name, sorted(ours), sorted(content[name]))
    for member in MessageId:
        stated = content.get("message_id", {}).get(f"{member.value:02X}", "")
        require(
            not stated or words.MESSAGES[member].lower().rstrip(".") in _plain(stated),
            f"{member.value:02X}: {words.MESSAGES[member]!r} is not {stated!r}",
        )
    starts = {value for value in content.get("kernel2_start", {}).values() if value != "N/A"}
    same("the starts", sorted({each.value for each in Start} - {"N/A"}), sorted(starts or "ABCD"))
    return ""


def _plain(text: str) -> set[str]:
    """A text with and without its courtesies and brackets."""
    short = re.sub(r"\s*\(.*\)", "", text.lower())
    return {
        short,
        short.replace("please ", "").replace("please", "").strip(),
        short.replace("your ", "").replace("please ", ""),
    }


def _reference_cases(document: Document, _: Library) -> Iterator[Case]:
    yield Case(
        "user interface codes", "identifiers and meanings", lambda: _reference(document.content)
    )


FORMATS = (
    Format("decode", "Values in words", kinds("decode"), _decode_cases),
    Format("ttq_bits", "Terminal transaction qualifiers", kinds("ttq_bits"), _ttq_cases),
    Format("cvm_list", "CVM lists", kinds("cvm_list"), _cvm_cases),
    Format(
        "issuer_application_data",
        "Issuer application data",
        kinds("issuer_application_data"),
        _issuer_data_cases,
    ),
    Format("track", "Tracks 1 and 2", kinds("track1", "track2"), _track_cases),
    Format("reference_table", "User interface codes", kinds("reference_table"), _reference_cases),
)
"""The formats of this file."""
