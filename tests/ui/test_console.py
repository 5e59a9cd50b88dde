"""The till on a console, and the demo, over a till that really answers."""

# ruff: noqa: RUF001 - Persian digits look like other characters, and are meant.
from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from terminal.catalogue import Catalogue, Item
from terminal.errors import ConfigError
from terminal.money import Amount, Currency
from tests.ui.stand_ins import AMOUNT, EUR, PlayedTill, StandInBench
from ui import console
from ui.events import OutOfService, ReaderChanged


@pytest.fixture(autouse=True)
def _no_long_wait_for_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PAPER_TIMEOUT_S", 0.1)


def typed(*lines: str) -> Callable[[str], str]:
    """A keyboard: these lines, and then its end."""
    waiting = list(lines)

    def read(_question: str) -> str:
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return read


def sold(*lines: str, till: PlayedTill, language: str = "en") -> list[str]:
    """What the console prints for what is typed."""
    printed: list[str] = []
    result = console.run(
        till,
        [till.bench],
        shop="Corner Coffee",
        currency=EUR,
        language=language,
        read=typed(*lines),
        write=printed.append,
    )
    assert result == 0
    return printed


def has(lines: Iterable[str], *wanted: str) -> bool:
    """Whether the wanted texts come in this order."""
    remaining = iter(lines)
    return all(any(text in line for line in remaining) for text in wanted)


def test_a_sale() -> None:
    till = PlayedTill()
    printed = sold("12.50", "1", "q", till=till)
    assert printed[:2] == ["Corner Coffee", "Simulated, no real money"]
    assert till.charged == [AMOUNT]
    assert ("tap", "visa") in till.bench.done
    assert has(
        printed,
        "●○○○  €12.50  Hold card, phone or watch here",
        "Visa credit: approves",
        "●●●●  €12.50",
        "✓ Approved  €12.50",
        "Visa •••• 1234",
        "Money was taken",
        "Receipt printed",
    )


def test_nothing_is_said_twice() -> None:
    printed = sold("12.50", "1", "q", till=PlayedTill())
    results = [line for line in printed if "Money was taken" in line or "Approval" in line]
    assert len(results) == len(set(results)) == 2


@pytest.mark.parametrize("text", ["12,505", "-1", "1e9", "१२", "12.505", "0", "abc"])
def test_bad_amounts_are_refused_and_nothing_is_charged(text: str) -> None:
    till = PlayedTill()
    printed = sold(text, "q", till=till)
    assert till.charged == []
    assert has(printed, "Type ")


TEA = Item("Tea", Amount(250, EUR), "Drinks", 1000, "40063813")
CAKE = Item("Apple cake", Amount(390, EUR), "Bakery", 2100)


@pytest.mark.parametrize(
    ("text", "minor", "parts"),
    [
        ("2xTea, apple cake", 890, 2),
        ("Tea", 250, 1),
        ("40063813", 250, 1),
        ("12.50", 1250, 0),
    ],
)
def test_items_are_typed_where_the_shop_has_a_catalogue(text: str, minor: int, parts: int) -> None:
    till = PlayedTill()
    till.sold = Catalogue((TEA, CAKE))
    printed = sold(text, "1", "q", till=till)
    assert has(printed, "Or items: 2xTea, Apple cake", "Approved")
    assert till.charged == [Amount(minor, EUR)]
    assert [len(each.parts) for each in till.terms] == [parts]
    assert has(printed, "2 x Tea  €5.00", "Apple cake  €3.90") is (parts == 2)


def test_what_is_neither_an_amount_nor_an_item_is_named() -> None:
    till = PlayedTill()
    till.sold = Catalogue((TEA, CAKE))
    printed = sold("2xTea, Coffee", "12,505", "q", till=till)
    assert till.charged == []
    assert has(printed, "'Coffee' is no item of the catalogue", "12,505")


def test_cancel() -> None:
    till = PlayedTill()
    printed = sold("12.50", "c", "q", till=till)
    assert till.cancels == 1
    assert has(printed, "Cancelled", "No money was taken")


def test_a_wrong_card_number_is_asked_for_again() -> None:
    till = PlayedTill()
    printed = sold("12.50", "9", "0", "x", "2", "q", till=till)
    assert has(printed, "There is no number 9 here", "There is no number x here", "Approved")
    assert ("tap", "mc") in till.bench.done


def test_the_cards_are_listed_once_in_a_sale() -> None:
    printed = sold("12.50", "9", "x", "2", "4.20", "1", "q", till=PlayedTill())
    assert len([line for line in printed if "Visa credit: approves" in line]) == 2


def test_a_card_number_may_have_persian_digits() -> None:
    till = PlayedTill()
    sold("12.50", "۲", "q", till=till, language="fa")
    assert ("tap", "mc") in till.bench.done


def test_switches() -> None:
    till = PlayedTill()
    printed = sold("s", "2", "4.20", "1", "s", "", "s", "7", "q", till=till)
    assert has(printed, "[ ] Cut the network", "Saved offline", "[x] Cut the network")
    assert has(printed, "There is no number 7 here")
    assert ("set", "offline", "True") in till.bench.done


def test_the_end_of_the_keyboard_ends_the_till() -> None:
    assert sold(till=PlayedTill())


def test_out_of_service_ends_the_till() -> None:
    till = PlayedTill()
    till.tell(OutOfService("The disk is full.", "Free some space."))
    printed = sold("12.50", till=till)
    assert has(printed, "Out of service", "The disk is full.", "Free some space.")


def test_notices_are_printed_once() -> None:
    till = PlayedTill()
    till.tell(ReaderChanged(ok=False, text="gone"))
    printed = sold("", "", "q", till=till)
    assert [line for line in printed if "No reader" in line] == ["[No reader]"]


def test_a_console_speaks_persian_with_persian_digits() -> None:
    printed = sold("12.50", "1", "q", till=PlayedTill(), language="fa")
    assert has(printed, "۱۲٫۵۰", "Visa •••• 1234")


def demonstrated(till: PlayedTill) -> tuple[int, list[str]]:
    printed: list[str] = []
    result = console.demo(till, [till.bench], currency=EUR, write=printed.append)
    return result, printed


def test_the_demo_plays_four_scenes() -> None:
    till = PlayedTill()
    result, printed = demonstrated(till)
    assert result == 0
    assert [amount.minor for amount in till.charged] == [1250, 790, 1051, 420]
    assert has(printed, "1. ", "Approved", "2. ", "Approved", "3. ", "declined", "4. ", "Saved")
    assert printed[-1] == "4 of 4 scenes ended as they should."
    assert not till.bench.on


def test_the_demo_fails_when_the_stored_sale_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "STEP_TIMEOUT_S", 0.2)
    till = PlayedTill()
    till.forwards = False
    result, printed = demonstrated(till)
    assert result == 1
    assert has(printed, "was not forwarded", "3 of 4")


def test_the_demo_fails_when_a_sale_ends_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "STEP_TIMEOUT_S", 0.2)
    till = PlayedTill()
    till.bench.on = {"offline"}
    result, printed = demonstrated(till)
    assert result == 1
    assert has(printed, "approved was due, stored came")


def test_the_demo_needs_a_bench() -> None:
    till = PlayedTill()
    with pytest.raises(ConfigError, match="needs a simulated Visa card"):
        console.demo(till, [], currency=EUR)


def test_the_demo_needs_the_network_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    till = PlayedTill()
    monkeypatch.setattr(till.bench, "switches", lambda: ())
    with pytest.raises(ConfigError, match="needs the switch 'offline'"):
        demonstrated(till)


def test_the_demo_counts_in_the_currency_of_the_till() -> None:
    till = PlayedTill()
    yen = Currency.of("JPY")
    assert console.demo(till, [till.bench], currency=yen, write=lambda _: None) == 0
    assert till.charged[0] == Amount(1250, yen)


def test_the_stand_in_bench_is_a_bench() -> None:
    from terminal.bench import Bench  # noqa: PLC0415 - beside its use

    assert isinstance(StandInBench(), Bench)


def test_a_terminal_without_the_letters_gets_question_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    till = PlayedTill()
    assert console.demo(till, [till.bench], currency=EUR) == 0
    printed = narrow.buffer.getvalue().decode("ascii")
    assert "Approved  ?12.50" in printed


def test_a_console_till_needs_nothing_of_the_touchscreen() -> None:
    script = (
        "import sys, ui.console; heavy = {'kivy', 'babel', 'bidi', 'arabic_reshaper'}; "
        "print(sorted(heavy.intersection(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout == "[]\n"
