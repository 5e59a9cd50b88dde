"""Card dialogues (``transcripts/*``): what they say, what they prove, and our kernels in them.

Rules of this file: three cases for each dialogue. Its *reading* must give the applications, files
and accounts that the file states, for contact and contactless cards alike. Its *authentication*
must hold or fail as stated. Its *replay* runs our own Entry Point and kernel (``replay``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from textwrap import shorten

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    require,
    same,
    same_account,
    upper,
)
from hardware_sim.conformance.dialogue_proof import application_of, authentication, steps_of
from hardware_sim.conformance.replay import replay
from terminal.emv import tags, witness
from terminal.emv.names import counted
from terminal.emv.selection import text
from terminal.emv.witness import Seen
from terminal.errors import AuthenticationFailed

_FORMATS = frozenset({0x05, 0x95})


def _reading(document: Document, library: Library) -> str:
    content = document.content
    expected = content["expected"]
    steps = steps_of(content)
    if "equivalent_to" in expected:
        return _equivalent(steps, expected["equivalent_to"], document, library)
    seen = witness.read_dialogue(steps)
    used: list[Seen] = []
    for stated in expected.get("applications", []):
        used.append(application_of(stated, [each for each in seen if each not in used]))
    said = [counted(len(used), "application")] if used else []
    if "applications_in_directory" in expected:
        _directory(expected["applications_in_directory"], seen)
        said.append("directory")
    if "cvc3" in expected:
        said.append(_cvc3(expected["cvc3"], seen))
    if "pan" in expected:
        _any_account(expected, seen)
    for stated in expected.get("applications", []):
        signed = stated.get("offline_data_authentication", {}).get("sda", {})
        if signed and "sda" in expected:
            code = signed.get("data_authentication_code")
            same("9F45", code, expected["sda"].get("data_authentication_code", code))
    if "reader_result" in expected:
        said.append(_reader_result(expected["reader_result"], seen))
    return ", ".join(said) or counted(len(steps), "exchange")


def _equivalent(
    steps: Sequence[witness.Step], name: str, document: Document, library: Library
) -> str:
    other = library.named(name, document)
    if other is None:
        raise OutOfScope(f"{name!r}, which it is equivalent to, is not here")
    theirs = steps_of(other.content)
    same("the number of exchanges", len(steps), len(theirs))
    for number, (one, two) in enumerate(zip(steps, theirs, strict=True), 1):
        same(f"command {number}", _without_le(one.command), _without_le(two.command))
        same(f"answer {number}", one.answer, two.answer)
    return f"{len(steps)} exchanges, T=0 frames joined"


def _without_le(command: bytes | None) -> bytes | None:
    """A command without Le, which T=0 states otherwise than T=1."""
    if command is None or len(command) < 5:
        return command
    return command[: 5 + command[4]] if len(command) > 5 else command[:4]


def _directory(stated: Json, seen: Sequence[Seen]) -> None:
    found = [
        {
            "aid": upper(entry.get(tags.ADF_NAME_4F, b"")),
            "label": text(entry.get(tags.LABEL_50, b"")),
            "priority": (entry.get(tags.PRIORITY_87) or b"\0")[0] & 0x0F,
        }
        for each in seen
        for entry in each.entries
    ]
    for each in stated:
        known = [{name: entry.get(name) for name in each} for entry in found]
        require(each in known, f"the directory has no {each}")


def _cvc3(stated: Json, seen: Sequence[Seen]) -> str:
    """The codes of mag-stripe mode; one file states digits of the answer beside a value's place."""
    checksums = [each for one in seen for each in one.checksums]
    require(checksums, "COMPUTE CRYPTOGRAPHIC CHECKSUM is not there")
    sent, found = checksums[0]
    beside: list[str] = []
    for name, tag in (("cvc3_track1", 0x9F60), ("cvc3_track2", 0x9F61), ("atc", 0x9F36)):
        value = upper(found.get(tag, b""))
        if name in stated and value != stated[name]:
            answer = "".join(
                f"{number:X}{len(each):02X}{upper(each)}" for number, each in found.items()
            )
            require(stated[name] in answer, f"{name}: expected {stated[name]}, found {value}")
            beside.append(f"{tag:X} is {value} and not the {stated[name]} beside it")
    if "unpredictable_number_numeric" in stated:
        same("9F6A", upper(sent[:4]), stated["unpredictable_number_numeric"])
    return f"CVC3 ({'; '.join(beside)})" if beside else "CVC3"


def _any_account(stated: Json, seen: Sequence[Seen]) -> None:
    found = {each.pan for one in seen for each in witness.accounts(one.objects)}
    same_account("account", stated["pan"] if stated["pan"] in found else None, stated["pan"])


def _reader_result(stated: Json, seen: Sequence[Seen]) -> str:
    """What the source's reader reported, as far as it comes from EMV's data objects."""
    found = [each for one in seen for each in witness.accounts(one.objects)]
    said = "reader's result"
    if "pan" in stated and found:
        _any_account(stated, seen)
        expiry = stated.get("expiry_yymmdd") or stated.get("expiry_yymm")
        if expiry is None and "expiry_mm_yyyy" in stated:
            month, year = stated["expiry_mm_yyyy"].split("/")
            expiry = year[2:] + month
        if expiry:
            dates = {each.expiry[: len(expiry)] for each in found}
            require(expiry in dates, "the reader's expiry is in no track and no date")
    elif "pan" in stated:
        said = "the reader's account comes from a purse of another standard"
    if "read_record_commands" in stated:
        same("READ RECORD", sum(each.records_read for each in seen), stated["read_record_commands"])
    _reported(stated.get("applications_reported", []), seen)
    return said


def _reported(stated: Json, seen: Sequence[Seen]) -> None:
    """Counters and names that the reader reported, where the dialogue has such an object at all."""
    names = {upper(name) for one in seen for name in (one.selected, one.df_name)}
    for each in stated:
        require(each.get("aid", "") in {"", *names}, f"{each.get('aid')} was not selected")
    for name, tag, convert in (
        ("pin_tries_left", 0x9F17, int.from_bytes),
        ("atc", tags.ATC_9F36, int.from_bytes),
        ("label", tags.LABEL_50, text),
    ):
        known = {convert(value) for one in seen for value in one.objects.get(tag, [])}
        if tag == tags.LABEL_50:
            known |= {text(v) for one in seen for v in one.objects.get(0x9F12, [])}
        known |= {convert(entry[tag]) for one in seen for entry in one.entries if tag in entry}
        for each in stated:
            if known and name in each and each[name]:
                require(each[name] in known, f"{name} {each[name]!r} is not in the dialogue")


def _held(document: Document) -> str:
    try:
        return authentication(document.content)
    except AuthenticationFailed as failed:
        raise Mismatch(f"not authenticated: {failed.message}") from failed


def _cases(document: Document, library: Library) -> Iterator[Case]:
    content = document.content
    name = shorten(str(content.get("card", "dialogue")), 90, placeholder="…")
    yield Case(
        f"{name}: reading",
        "applications, AIP, AFL, account and expiry as stated",
        partial(_reading, document, library),
    )
    stated = content.get("expected", {}).get("applications", [])
    if any("offline_data_authentication" in each for each in stated):
        yield Case(
            f"{name}: authentication",
            "certificates and signatures hold, or fail, as stated",
            partial(_held, document),
        )
    exact = "terminal" in content
    yield Case(
        f"{name}: {'exact ' if exact else ''}replay",
        "our kernel sends the very bytes" if exact else "our kernel in this dialogue",
        partial(replay, content),
    )


def _is_transcript(document: Document) -> bool:
    content = document.content
    if document.kind:
        return document.kind == "apdu_transcript"
    return isinstance(content, dict) and {"exchanges", "expected"} <= content.keys()


FORMATS = (Format("apdu_transcript", "Card dialogues", _is_transcript, _cases),)
"""The formats of this file."""
