"""``replay:``: recorded dialogues of other projects, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardware_sim.replay import TranscriptChip, open_reader, read_transcript
from terminal.emv.transcript import Exchange, Transcript
from terminal.errors import CardLost, ReaderNotFound
from terminal.ports import Card, ForeignTag, Reader, SeveralCards, Unreadable

PPSE = "00A404000E325041592E5359532E444446303100"
SELECT = "00A4040007A000000003101000"
GPO = "80A80000068304AABBCCDD00"
RECORD = "00B2011400"


def never() -> bool:
    return False


def card_from(reader: Reader) -> Card:
    presented = reader.wait_for_card(timeout_s=5, cancelled=never)
    assert presented is not None
    assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable)
    return presented


def told(chip: TranscriptChip | Card, commands: list[str]) -> list[str]:
    answers = []
    for command in commands:
        try:
            answers.append(chip.exchange(bytes.fromhex(command)).hex().upper())
        except CardLost:
            answers.append("lost")
    return answers


def chip_of(*exchanges: tuple[str | None, str | None], lenient: bool = False) -> TranscriptChip:
    recorded = tuple(
        Exchange(*(None if text is None else bytes.fromhex(text) for text in pair))
        for pair in exchanges
    )
    chip = TranscriptChip(Transcript("tap.json", recorded), lenient=lenient)
    chip.reset()
    return chip


RECORDED = [(PPSE, "6F009000"), (SELECT, "6F019000"), (GPO, "77009000"), (RECORD, "70009000")]


def test_every_transcript_answers_its_own_commands(vectors_dir: Path) -> None:
    paths = sorted((vectors_dir / "emv" / "transcripts").glob("*.json"))
    assert len(paths) == 28
    for path in paths:
        recorded = json.loads(path.read_text("utf-8"))["exchanges"]
        card = card_from(open_reader(f"replay:{path}"))
        for number, each in enumerate(recorded, 1):
            # What stands for any command is asked for with one that no card knows.
            command = bytes.fromhex(each["command"] or "80FE0000")
            if each["response"] is None:
                with pytest.raises(CardLost):
                    card.exchange(command)
                break
            answer = card.exchange(command).hex().upper()
            assert answer == each["response"], f"{path.name} {number}"


@pytest.mark.parametrize("lenient", [False, True])
def test_a_transcript_replays_itself(*, lenient: bool) -> None:
    chip = chip_of(*RECORDED, lenient=lenient)
    commands = [command for command, _ in RECORDED]
    expected = [answer for _, answer in RECORDED]
    assert told(chip, commands) == expected
    chip.reset()
    assert told(chip, commands) == expected


@pytest.mark.parametrize(
    ("commands", "exact", "lenient"),
    [
        ([SELECT], ["lost"], ["6F019000"]),
        ([PPSE, PPSE], ["6F009000", "lost"], ["6F009000", "6F009000"]),
        (
            [PPSE, SELECT, GPO.replace("AABB", "1122")],
            ["6F009000", "6F019000", "lost"],
            ["6F009000", "6F019000", "77009000"],
        ),
        ([PPSE[:-2]], ["lost"], ["6F009000"]),
        ([SELECT.replace("03101000", "04101000")], ["lost"], ["6A82"]),
        (["00B2021400"], ["lost"], ["6A83"]),
        (["80CA9F3600"], ["lost"], ["6A88"]),
        (["0084000008"], ["lost"], ["6D00"]),
        (["00A4"], ["6700"], ["6700"]),
    ],
)
def test_exact_and_lenient(commands: list[str], exact: list[str], lenient: list[str]) -> None:
    assert told(chip_of(*RECORDED), commands) == exact
    assert told(chip_of(*RECORDED, lenient=True), commands) == lenient


def test_any_command_and_a_lost_card() -> None:
    recorded = [(PPSE, "6F009000"), (None, "6A82"), (None, "6985"), (SELECT, None)]
    for lenient in (False, True):
        chip = chip_of(*recorded, lenient=lenient)
        assert told(chip, [PPSE, RECORD, GPO, SELECT]) == ["6F009000", "6A82", "6985", "lost"]


def test_a_deviation_is_named_without_its_bytes() -> None:
    chip = chip_of(*RECORDED)
    chip.exchange(bytes.fromhex(PPSE))
    with pytest.raises(CardLost) as caught:
        chip.exchange(bytes.fromhex(GPO))
    assert str(caught.value) == (
        "tap.json has no such GET PROCESSING OPTIONS as exchange 2. "
        "Add ?lenient=1 to the address to replay it with other terminal data."
    )


def test_the_recorded_answer_to_an_unknown_command(tmp_path: Path) -> None:
    path = tmp_path / "tap.json"
    content = {
        "exchanges": [{"command": PPSE, "response": "6F009000"}],
        "terminal": {"unknown_command_answer": "6700"},
    }
    path.write_text(json.dumps(content), "utf-8")
    assert told(card_from(open_reader(f"replay:{path}")), [SELECT, PPSE]) == ["6700", "6F009000"]


APDU = f"""
# a tap
> {PPSE}
< 6F00 9000   # a comment
> *
< 6A82
> {RECORD.lower()}
< -
"""


def test_a_transcript_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "tap.apdu"
    path.write_text(APDU, "utf-8")
    assert read_transcript(path) == Transcript(
        "tap.apdu",
        (
            Exchange(bytes.fromhex(PPSE), bytes.fromhex("6F009000")),
            Exchange(None, bytes.fromhex("6A82")),
            Exchange(bytes.fromhex(RECORD), None),
        ),
    )


def test_a_transcript_is_presented_as_often_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "tap.apdu"
    path.write_text(APDU, "utf-8")
    reader = open_reader(f"replay:{path}?times=1&lenient=1")
    assert reader.name == "Replay of tap.apdu"
    assert told(card_from(reader), [PPSE]) == ["6F009000"]
    reader.release()
    assert reader.wait_for_card(timeout_s=0, cancelled=never) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tap.json", "[", "is no JSON"),
        ("tap.json", "[]", "has no list of exchanges"),
        ("tap.json", "{}", "has no list of exchanges"),
        ("tap.json", '{"exchanges": []}', "has no list of exchanges"),
        ("tap.json", '{"exchanges": [1]}', "exchange 1 lacks a command or a response"),
        ("tap.json", '{"exchanges": [{"command": "00"}]}', "exchange 1 lacks a command"),
        (
            "tap.json",
            '{"exchanges": [{"command": "411111111111111", "response": "9000"}]}',
            "exchange 1: expected at least 4 bytes in hexadecimal",
        ),
        (
            "tap.json",
            '{"exchanges": [{"command": "00A40400", "response": "90"}]}',
            "exchange 1: expected at least 2 bytes in hexadecimal",
        ),
        ("tap.apdu", "", "ends without an answer"),
        ("tap.apdu", "> 00A40400", "ends without an answer"),
        ("tap.apdu", "> 00A40400\n> 00A40400\n", "line 2: expected > and < by turns"),
        ("tap.apdu", "< 9000", "line 1: expected > and < by turns"),
        ("tap.apdu", "> 00A40400\n< 411111111111111\n", "line 2: expected at least 2 bytes"),
        ("tap.apdu", "hello", "line 1: expected > and < by turns"),
        ("tap.txt", APDU, "ends neither in .json nor in .apdu"),
    ],
)
def test_what_is_no_transcript_is_told_where(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(ReaderNotFound) as caught:
        open_reader(f"replay:{path}")
    assert message in str(caught.value)
    assert "411111111111111" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("replay:", "names no file"),
        ("replay:nobody.json", "nobody.json cannot be read"),
        ("replay:tap.json?speed=2", "speed='2' is no option of replay:. Options: lenient:"),
        ("replay:tap.json?times=x", "times='x' is no option of replay:"),
    ],
)
def test_a_wrong_address(url: str, message: str) -> None:
    with pytest.raises(ReaderNotFound) as caught:
        open_reader(url)
    assert message in str(caught.value)
