"""Cards that lie, one lie a row: each ends in a named outcome, soon and in little memory, and the
next honest card is taken.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from terminal.emv.converse import Limits, converse
from terminal.emv.entry_point import ReaderSettings, transact
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.tlv import encode
from terminal.errors import CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import (
    MASTERCARD_PAN,
    TRACK,
    fast_dda,
    mastercard,
    mastercard_reader,
    options,
    visa,
)
from tests.terminal.emv.replay import Clock
from tests.terminal.emv.scheme import (
    MASTERCARD,
    SELECT_PPSE,
    VISA,
    ScriptedCard,
    card,
    directory,
    ok,
    request,
    select,
    selected,
    settings,
    tap,
    tlv,
)

OFFLINE_VISA = settings(VISA, 3, floor_limit_minor=100_000, cvm_limit_minor=5000)
MEMORY_MAX = 20 * 1024 * 1024


class Slow:
    """A card and the clock that it keeps waiting."""

    technology = "slow"

    def __init__(self, honest: ScriptedCard, seconds: float) -> None:
        self._honest, self._seconds, self.now = honest, seconds, 0.0

    def exchange(self, command: bytes) -> bytes:
        self.now += self._seconds
        return self._honest.exchange(command)

    def __call__(self) -> float:
        return self.now


def lied(subject: Any, reader: ReaderSettings) -> tuple[Decision | None, str]:
    """The decision and reason; None when the runner ended the conversation itself."""
    clock = subject if isinstance(subject, Slow) else Clock()
    found: tuple[Decision | None, str]
    tracemalloc.start()
    try:
        outcome: Outcome = converse(transact(request(), reader), subject, monotonic=clock).result
        found = (outcome.decision, outcome.reason)
    except CardError as error:
        found = (None, error.message)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MEMORY_MAX
    return found


def nested(depth: int) -> bytes:
    value = b""
    for _ in range(depth):
        value = encode(0x70, value)
    return value


def visa_options(raw: bytes) -> ScriptedCard:
    return visa(ok(raw))


def record(content: bytes) -> ScriptedCard:
    """A card whose one record has this content."""
    return visa(options(x9F27="80", x94="08010100"), {"00B2010C": content})


def lists(pdol: str) -> ScriptedCard:
    answers = {SELECT_PPSE: directory(VISA), select(VISA): selected(VISA, {0x9F38: pdol})}
    return ScriptedCard({**answers, "80A8": options()})


def equal_priorities() -> ScriptedCard:
    """Two applications of the same priority: the card's order stands (Book B, 3.3.3.2)."""
    first = mastercard(0x80)
    answers = dict(first.answers)
    answers[SELECT_PPSE] = directory(MASTERCARD, VISA, extra=encode(0x87, b"\x01"))
    return ScriptedCard(answers)


def signed_static(**objects: str) -> ScriptedCard:
    return fast_dda(static={int(tag[1:], 16): value for tag, value in objects.items()})


END, NEXT = Decision.END_APPLICATION, Decision.END_APPLICATION
ONLINE, DECLINED = Decision.ONLINE_REQUEST, Decision.DECLINED
BOMB = encode(0x77, encode(0x82, b"\x20\x00") + b"\xe1\x81" * 60)

# What the card does, how the tap ends, and a part of the reason.
LIES: list[tuple[str, Callable[[], Any], ReaderSettings, Decision | None, str]] = [
    ("a bomb of open templates", lambda: visa_options(BOMB), OFFLINE_VISA, END, "claims"),
    ("nine templates deep", lambda: visa_options(nested(9)), OFFLINE_VISA, END, "nested deeper"),
    ("a hundred templates deep", lambda: visa_options(nested(100)), OFFLINE_VISA, END, "nested"),
    (
        "an indefinite length",
        lambda: visa_options(b"\x77\x80\x00\x00"),
        OFFLINE_VISA,
        END,
        "indefinite",
    ),
    (
        "a length of four bytes",
        lambda: visa_options(bytes.fromhex("7784FFFFFFFF00")),
        OFFLINE_VISA,
        END,
        "claims 4294967295 bytes",
    ),
    (
        "a length of five bytes",
        lambda: visa_options(bytes.fromhex("77850100000000")),
        OFFLINE_VISA,
        END,
        "takes 5 bytes",
    ),
    (
        "a tag without end",
        lambda: visa_options(b"\x9f" + b"\xff" * 90),
        OFFLINE_VISA,
        END,
        "longer than",
    ),
    (
        "an answer longer than an answer can be",
        lambda: visa(bytes(400)),
        OFFLINE_VISA,
        END,
        "258 is the most",
    ),
    ("no status word", lambda: visa(b"\x90"), OFFLINE_VISA, END, "status word has two"),
    (
        "records without end",
        lambda: visa(
            options(x9F27="80", x94="".join(f"{sfi << 3:02X}01FF00" for sfi in range(1, 11))),
            {"00B2": b"\x70\x00\x90\x00"},
        ),
        OFFLINE_VISA,
        None,
        "more than 100 commands",
    ),
    (
        "a file that names itself again and again",
        lambda: visa(
            options(x9F27="80", x94="08010100" * 20),
            {"00B2010C": ok(encode(0x70, tlv({0x5F24: "281231"})))},
        ),
        OFFLINE_VISA,
        END,
        "state tag 5F24 twice",
    ),
    (
        "records that go backwards",
        lambda: visa(options(x94="08030100")),
        OFFLINE_VISA,
        END,
        "impossible",
    ),
    ("file 31", lambda: visa(options(x94="F8010100")), OFFLINE_VISA, END, "impossible"),
    ("half a locator", lambda: visa(options(x94="080101")), OFFLINE_VISA, END, "four-byte entries"),
    (
        "two account numbers in two tags",
        lambda: record(ok(encode(0x70, tlv({0x5A: "4111111111111111"})))),
        OFFLINE_VISA,
        END,
        "one account in track 2 (57) and another in 5A",
    ),
    (
        "two tracks",
        lambda: record(ok(encode(0x70, tlv({0x57: TRACK.replace("281", "291")})))),
        OFFLINE_VISA,
        END,
        "states tag 57 twice",
    ),
    (
        "two profiles",
        lambda: record(ok(encode(0x70, tlv({0x82: "0000"})))),
        OFFLINE_VISA,
        END,
        "states tag 82 twice",
    ),
    ("a list that asks for 4 KB", lambda: lists("9F66FF" * 17), OFFLINE_VISA, END, "252 fit"),
    (
        "a list that asks for the terminal's secrets",
        lambda: lists("9F6604" + "5A0A" + "5713" + "DF8106FF"[:6] + "08" + "99" + "08"),
        OFFLINE_VISA,
        ONLINE,
        "",
    ),
    ("a list that is cut off", lambda: lists("9F66049F"), OFFLINE_VISA, END, "cut off"),
    (
        "a wrong check digit",
        lambda: visa(options(x57=TRACK.replace("10010", "10011", 1))),
        OFFLINE_VISA,
        END,
        "check digit",
    ),
    (
        "an account of letters",
        lambda: visa(options(x57="476173901AC10010D2812201000F")),
        OFFLINE_VISA,
        END,
        "malformed",
    ),
    (
        "UTF-8 in the label and the name",
        lambda: visa(
            options(x9F27="80", x94="08010100"),
            {"00B2010C": ok(encode(0x70, encode(0x5F20, "Ünïcødé \u202e/X".encode())))},
        ),
        OFFLINE_VISA,
        ONLINE,
        "",
    ),
    (
        "an expired application",
        lambda: fast_dda(expiry="250101"),
        OFFLINE_VISA,
        DECLINED,
        "expired",
    ),
    (
        "not yet effective",
        lambda: signed_static(x5F25="300101"),
        OFFLINE_VISA,
        DECLINED,
        "not yet effective",
    ),
    (
        "the 35th of the month",
        lambda: signed_static(x5F25="300135"),
        OFFLINE_VISA,
        END,
        "malformed",
    ),
    ("two applications of equal priority", equal_priorities, mastercard_reader(), ONLINE, ""),
    (
        "a cryptogram of no kind",
        lambda: visa(options(x9F27="C0")),
        OFFLINE_VISA,
        END,
        "does not exist",
    ),
    (
        "a cryptogram of two kinds",
        lambda: visa(options(x9F27="8040")),
        OFFLINE_VISA,
        END,
        "does not exist",
    ),
    (
        "qualifiers of three bytes",
        lambda: visa(options(x9F6C="008000")),
        OFFLINE_VISA,
        END,
        "two bytes",
    ),
    (
        "an answer after the deadline",
        lambda: Slow(visa(options()), 2.0),
        OFFLINE_VISA,
        None,
        "longer than 5 s",
    ),
    (
        "half a CVM list",
        lambda: mastercard(0x80, records={0x8E: "0000000000000000FF"}),
        mastercard_reader(),
        END,
        "CVM list",
    ),
    (
        "a CDOL of 4 KB",
        lambda: mastercard(0x80, records={0x8C: "9F02FF" * 17}),
        mastercard_reader(),
        END,
        "252 fit",
    ),
    (
        "issuer data of 40 bytes",
        lambda: visa(options(x9F10="06" * 40)),
        OFFLINE_VISA,
        END,
        "tag 9F10 has 40 bytes",
    ),
]


@pytest.mark.parametrize(
    ("make", "reader", "decision", "reason"),
    [row[1:] for row in LIES],
    ids=[row[0] for row in LIES],
)
def test_lie(
    make: Callable[[], Any], reader: ReaderSettings, decision: Decision | None, reason: str
) -> None:
    ended = lied(make(), reader)
    assert ended[0] is decision, ended
    assert reason in ended[1]
    for number in (scheme.PAN, MASTERCARD_PAN):
        assert number not in ended[1]
    # The next customer's card is taken by the same settings and the same cache.
    honest = mastercard(0x80) if reader.combinations[0].kernel_id == 2 else fast_dda()
    again = tap(honest, request(), reader)
    assert again.decision in {Decision.APPROVED, Decision.ONLINE_REQUEST}


WORDS = (
    *("6283", "6300", "6400", "6581", "6700", "6882", "6983", "6984", "6985", "6986", "6A80"),
    *("6A81", "6A82", "6A83", "6A88", "6B00", "6C10", "6D00", "6E00", "6F00", "6110", "0000"),
    "FFFF",
)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("at", range(6))
def test_wrong_status_words_everywhere(word: str, at: int) -> None:
    for honest, reader in ((fast_dda(), OFFLINE_VISA), (mastercard(0x40), mastercard_reader())):
        count = 0

        class Refusing:
            technology = "refusing"

            def exchange(self, command: bytes, card: ScriptedCard = honest) -> bytes:
                nonlocal count
                count += 1
                return bytes.fromhex(word) if count == at + 1 else card.exchange(command)

        decision, reason = lied(Refusing(), reader)
        assert decision not in {Decision.APPROVED, Decision.ONLINE_REQUEST}, reason
        assert decision is not None
        assert word in reason or "no application of the card" in reason or "not a payment" in reason


def test_the_terminals_secrets_are_zeros() -> None:
    subject = lists("9F6604" + "5A0A" + "5713" + "9908")
    tap(subject, request(), OFFLINE_VISA)
    (asked,) = [command for command in subject.sent if command[1] == 0xA8]
    assert asked[11:-1] == bytes(0x0A + 0x13 + 0x08)


def test_the_limits_are_those_that_are_promised() -> None:
    assert Limits() == Limits(commands=100, card_time_s=5.0, total_bytes=64 * 1024)


def test_a_label_with_other_letters_is_printed_without_them() -> None:
    subject = card(VISA, {"80A8": options()}, pdol="9F6604")
    answers = dict(subject.answers)
    objects: dict[int, str | bytes] = {
        0x50: "V\u0131sa\u202e Crédit".encode(),
        0x9F38: "9F6604",
        0x9F11: b"\x05",
        0x9F12: b"\xd0\xd1",
    }
    answers[select(VISA)] = selected(VISA, objects)
    outcome = tap(ScriptedCard(answers), request(), OFFLINE_VISA)
    assert outcome.application is not None
    assert outcome.application.label == "Vsa Crdit"
