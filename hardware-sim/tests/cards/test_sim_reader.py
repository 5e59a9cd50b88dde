"""``sim:`` by address: what is presented, which faults happen, and what a wrong address is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from drivers.registry import READERS, schemes
from drivers.registry import open_reader as open_by_url
from hardware_sim.bench import SimulatedBench
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.faults import Faults, FaultyChip, parse_faults
from hardware_sim.field import Field, SimulatedReader
from hardware_sim.reader import discover, open_reader
from terminal.bench import Bench, BenchCard, BenchReader, bench_of
from terminal.errors import CardLost, ConfigError, ReaderNotFound, ReaderUnplugged, TerminalError
from terminal.ports import Card, ForeignTag, Presented, Reader, SeveralCards, Unreadable

PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")
OK = b"\x90\x00"


def never() -> bool:
    return False


def wait(reader: Reader) -> Presented | None:
    return reader.wait_for_card(timeout_s=5, cancelled=never)


def card_from(reader: Reader) -> Card:
    presented = wait(reader)
    assert presented is not None
    assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable)
    return presented


def statuses(reader: Reader, count: int = 5) -> list[str]:
    """The status words of one PPSE after the other, or the name of what ended them."""
    card = card_from(reader)
    seen = []
    for _ in range(count):
        try:
            seen.append(card.exchange(PPSE)[-2:].hex().upper())
        except TerminalError as error:
            seen.append(type(error).__name__)
            break
    reader.release()
    return seen


def test_both_schemes_are_entry_points() -> None:
    reader = open_by_url("sim:visa-credit")
    assert reader.name == "Simulated reader with visa-credit"
    assert statuses(reader, 1) == ["9000"]
    with pytest.raises(ReaderNotFound, match="names no file"):
        open_by_url("replay:")
    assert {"sim", "replay"} <= set(schemes(READERS))


def test_what_is_attached_says_how_to_address_it() -> None:
    (found,) = discover()
    assert (found.url, found.driver) == ("sim:", "sim")
    assert "sim:visa-credit" in found.note


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sim:visa", "names the card 'visa', which does not exist. Cards: visa-credit, visa-debit"),
        ("sim:visa-credit?tear=3", "has the option 'tear', which does not exist. Options: seed:"),
        ("sim:?tear_after=3", "has the option 'tear_after', which does not exist. Options: seed:"),
        ("sim:visa-credit?seed=", "seed='' is not a whole number"),
        ("sim:visa-credit?seed=-1", "seed='-1' is not a whole number"),
        ("sim:visa-credit?seed=1e3", "seed='1e3' is not a whole number"),
        ("sim:visa-credit?seed=१", "is not a whole number"),
        ("sim:visa-credit?sw=9000F", "sw='9000F' is not a status word"),
    ],
)
def test_a_wrong_address_is_told_what_exists(url: str, message: str) -> None:
    with pytest.raises(ReaderNotFound) as caught:
        open_reader(url)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ("", ["9000"] * 5, ["9000"] * 5),
        ("tear_after=0", ["CardLost"], ["CardLost"]),
        ("tear_after=3", ["9000"] * 3 + ["CardLost"], ["9000"] * 3 + ["CardLost"]),
        ("tear_after=3&faulty_taps=1", ["9000"] * 3 + ["CardLost"], ["9000"] * 5),
        ("tear_at=1", ["CardLost"], ["CardLost"]),
        # PPSE is 20 bytes and its answer 52: byte 73 is the first of the second command.
        ("tear_at=72", ["CardLost"], ["CardLost"]),
        ("tear_at=73", ["9000", "CardLost"], ["9000", "CardLost"]),
        ("mute_at=2", ["9000", "CardMute"], ["9000", "CardMute"]),
        ("sw_at=2", ["9000", "6F00", "9000", "9000", "9000"], ["9000", "6F00"] + ["9000"] * 3),
        ("sw=6A81&sw_at=1", ["6A81"] + ["9000"] * 4, ["6A81"] + ["9000"] * 4),
    ],
)
def test_faults_by_address(options: str, first: list[str], second: list[str]) -> None:
    reader = open_reader(f"sim:visa-credit?{options}")
    assert statuses(reader) == first
    assert statuses(reader) == second


def test_a_reader_that_is_unplugged_in_a_tap_stays_away() -> None:
    reader = open_reader("sim:visa-credit?unplug_after=2")
    assert statuses(reader) == ["9000", "9000", "ReaderUnplugged"]
    with pytest.raises(ReaderUnplugged, match="Plug it in again"):
        reader.wait_for_card(timeout_s=0, cancelled=never)


def test_noise_turns_bits_over_and_the_same_ones_each_time() -> None:
    def answers(seed: int) -> list[bytes]:
        card = card_from(open_reader(f"sim:visa-credit?seed={seed}&noise=50"))
        return [card.exchange(PPSE) for _ in range(20)]

    clean = card_from(open_reader("sim:visa-credit")).exchange(PPSE)
    wrong = [answer for answer in answers(1) if answer != clean]
    assert 3 < len(wrong) < 17
    for answer in wrong:
        difference = int.from_bytes(answer, "big") ^ int.from_bytes(clean, "big")
        assert difference.bit_count() == 1
    assert answers(1) == answers(1)
    assert answers(1) != answers(2)


def test_slow_cards_sleep_for_their_answers() -> None:
    slept: list[float] = []
    chip = FaultyChip(
        EmvCard(load_profile("visa-credit")),
        lambda: Faults(delay_ms=250),
        card_ms=50,
        sleep=slept.append,
    )
    chip.reset()
    chip.exchange(PPSE)
    chip.exchange(PPSE)
    assert slept == [0.3, 0.3]


def test_a_card_is_presented_as_often_as_asked() -> None:
    reader = open_reader("sim:visa-credit?times=2")
    assert statuses(reader, 1) == statuses(reader, 1) == ["9000"]
    assert reader.wait_for_card(timeout_s=0, cancelled=never) is None
    assert reader.wait_for_removal(timeout_s=0, cancelled=never)


def test_cancelling_is_heard_before_anything_is_presented() -> None:
    reader = open_reader("sim:visa-credit")
    assert reader.wait_for_card(timeout_s=5, cancelled=lambda: True) is None


def test_a_card_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "visa-credit"\n[card]\ntitle = "Own"\n', "utf-8")
    assert statuses(open_reader(f"sim:{path}?seed=3"), 1) == ["9000"]
    path.write_text('extends = "gold"', "utf-8")
    with pytest.raises(ConfigError, match="no simulated card 'gold'"):
        open_reader(f"sim:{path}?seed=3")


def bench_reader() -> tuple[Reader, Bench]:
    reader = open_reader("sim:?seed=7")
    bench = bench_of(reader)
    assert bench is not None
    return reader, bench


def test_only_the_bench_reader_has_a_bench() -> None:
    reader, bench = bench_reader()
    assert isinstance(reader, BenchReader)
    assert isinstance(bench, Bench)
    assert bench_of(open_reader("sim:visa-credit")) is None
    assert [card.id for card in bench.cards()] == [
        name for name in card_ids() if load_profile(name).card.bench
    ]


def test_the_bench_presents_nothing_by_itself() -> None:
    reader, bench = bench_reader()
    assert reader.wait_for_card(timeout_s=0.1, cancelled=never) is None
    with pytest.raises(ReaderNotFound, match=r"no simulated card 'gold'. Cards: visa-credit"):
        bench.tap("gold")
    with pytest.raises(ReaderNotFound, match=r"no switch 'turbo'. Switches: early"):
        bench.set_switch("turbo", True)


def test_a_tap_from_another_thread_reaches_a_waiting_reader() -> None:
    reader, bench = bench_reader()
    waiting = threading.Event()

    def cancelled() -> bool:
        waiting.set()
        return False

    def customer() -> None:
        assert waiting.wait(5)
        bench.tap("mastercard-credit")

    thread = threading.Thread(target=customer)
    thread.start()
    presented = reader.wait_for_card(timeout_s=10, cancelled=cancelled)
    thread.join()
    assert presented is not None
    assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable)
    assert presented.exchange(PPSE)[-2:] == OK


def test_a_tapped_card_leaves_when_the_reader_has_done_with_it_or_stays() -> None:
    reader, bench = bench_reader()
    bench.tap("visa-credit")
    assert statuses(reader, 1) == ["9000"]
    assert reader.wait_for_removal(timeout_s=0, cancelled=never)
    bench.set_switch("stay", True)
    bench.tap("visa-credit")
    assert statuses(reader, 1) == ["9000"]
    assert not reader.wait_for_removal(timeout_s=0, cancelled=never)
    bench.remove()
    bench.remove()
    assert reader.wait_for_removal(timeout_s=0, cancelled=never)


def test_a_card_taken_from_the_bench_is_lost_to_the_reader() -> None:
    reader, bench = bench_reader()
    bench.tap("visa-credit")
    card = card_from(reader)
    bench.remove()
    with pytest.raises(CardLost):
        card.exchange(PPSE)


def test_a_second_card_takes_the_place_of_the_first() -> None:
    reader, bench = bench_reader()
    bench.tap("visa-credit")
    first = card_from(reader)
    bench.tap("mifare-tag")
    with pytest.raises(CardLost):
        first.exchange(PPSE)
    assert wait(reader) == ForeignTag("MIFARE Classic")


@pytest.mark.parametrize(
    ("switch", "seen"),
    [
        ("early", ["9000"] * 2 + ["CardLost"]),
        ("mute", ["9000", "9000", "CardMute"]),
        ("unplugged", []),
    ],
)
def test_switches(switch: str, seen: list[str]) -> None:
    reader, bench = bench_reader()
    bench.set_switch(switch, True)
    assert [each.id for each in bench.switches() if each.on] == [switch]
    bench.tap("visa-credit")
    if seen:
        assert statuses(reader) == seen
    else:
        with pytest.raises(ReaderUnplugged):
            wait(reader)
    bench.set_switch(switch, False)
    bench.tap("visa-credit")
    assert not any(each.on for each in bench.switches())
    assert statuses(reader) == ["9000"] * 5


def test_the_slow_switch_works_in_the_middle_of_a_tap() -> None:
    slept: list[float] = []
    field = Field()
    bench = SimulatedBench(field, sleep=slept.append)
    reader = SimulatedReader(field, "Bench")
    bench.tap("visa-credit")
    card = card_from(reader)
    card.exchange(PPSE)
    bench.set_switch("slow", True)
    card.exchange(PPSE)
    assert slept == [0.4]


def test_a_card_on_the_bench_keeps_its_counter() -> None:
    reader, bench = bench_reader()
    select = bytes.fromhex("00A4040007A000000003101000")
    options = bytes.fromhex("80A8000023832123804000" + "00" * 25 + "AABBCCDD00")
    counters = []
    for _ in range(2):
        bench.tap("visa-credit")
        card = card_from(reader)
        card.exchange(select)
        assert card.exchange(options)[-2:] == OK
        counters.append(card.exchange(bytes.fromhex("80CA9F3600"))[-4:-2])
        reader.release()
    assert int.from_bytes(counters[1], "big") == int.from_bytes(counters[0], "big") + 1


def test_the_log_tells_a_story_without_card_data() -> None:
    reader, bench = bench_reader()
    bench.tap("visa-credit")
    card = card_from(reader)
    directory = len(card.exchange(PPSE)) - 2
    card.exchange(bytes.fromhex("00A4040007A000000004101000"))
    card.exchange(b"\x00")
    reader.release()
    assert bench.log() == (
        "Visa credit: on the reader",
        f"✓ SELECT the list of applications: ok, {directory} bytes",
        "! SELECT Mastercard: 6A82 not on this card",
        "! Malformed command: 6700 wrong length",
        "Visa credit: taken away",
    )


def test_taps_from_many_threads_leave_the_reader_whole() -> None:
    reader, bench = bench_reader()

    def customer(card_id: str) -> None:
        for _ in range(40):
            bench.tap(card_id)
            bench.remove()
            bench.log()
            bench.switches()

    threads = [threading.Thread(target=customer, args=(name,)) for name in card_ids()[:4]]
    for thread in threads:
        thread.start()
    for _ in range(40):
        presented = reader.wait_for_card(timeout_s=0.02, cancelled=never)
        if presented is not None:
            assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable)
            try:
                assert presented.exchange(PPSE)[-2:] == OK
            except CardLost:
                continue
    for thread in threads:
        thread.join()
    bench.tap("visa-credit")
    assert statuses(reader, 1) == ["9000"]


def test_a_bench_card_has_a_colour() -> None:
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        BenchCard("id", "Title", "subtitle", "Visa", "blue")


class _Taking:
    """A chip that answers at once, whatever it is asked."""

    def reset(self) -> None:
        return

    def exchange(self, command: bytes) -> bytes:
        return bytes(98) + OK


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("", 0.0),
        ("warm_up_ms=5", 5.0),
        # 20 and 100 bytes, each with four of the block protocol, nine bits a byte.
        ("kbps=106", (24 + 104) * 9 / 106),
        ("kbps=848", (24 + 104) * 9 / 848),
        ("think=100", 54.0),
        ("think=50 kbps=424 warm_up_ms=2 delay_ms=3", 27.0 + 128 * 9 / 424 + 5.0),
    ],
)
def test_a_tap_takes_the_time_it_is_asked_to_take(text: str, expected_ms: float) -> None:
    slept: list[float] = []
    faults = parse_faults(text)
    chip = FaultyChip(_Taking(), lambda: faults, sleep=slept.append)
    chip.reset()
    assert len(PPSE) == 20
    chip.exchange(PPSE)
    assert sum(slept) * 1000 == pytest.approx(expected_ms)
