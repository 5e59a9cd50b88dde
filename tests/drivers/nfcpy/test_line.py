"""The serial line to a PN532, the addresses of readers, and what must never be logged."""

from __future__ import annotations

import errno
import logging
import os
import re
import tty
from collections.abc import Iterator
from contextlib import closing

import nfc.clf.pn532
import pytest
from nfc.clf.transport import libusb

from drivers import nfcpy, nfcpy_uart
from drivers.door import PatternChip, pattern
from drivers.registry import FoundReader
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.iso_dep import CardTime
from hardware_sim.pn532 import Pn532OnPty
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged, TerminalError
from terminal.ports import Reader
from tests.drivers.nfcpy.taps import LONGEST, tap


@pytest.mark.parametrize("fault", ["damaged_responses", "cut_responses", "noisy_responses"])
def test_a_damaged_response_is_asked_for_again(
    world: Pn532OnPty, reader: Reader, fault: str
) -> None:
    chip = PatternChip()
    world.present(chip)
    card = tap(reader)
    for _ in range(6):
        setattr(world.line, fault, 1)
        assert card.exchange(LONGEST) == pattern(LONGEST)
    assert chip.seen == [LONGEST] * 6


def test_a_lost_acknowledgement_is_done_without(world: Pn532OnPty, reader: Reader) -> None:
    chip = PatternChip()
    world.present(chip)
    card = tap(reader)
    world.line.lost_acks = 1
    assert card.exchange(LONGEST) == pattern(LONGEST)
    assert chip.seen == [LONGEST]


@pytest.mark.parametrize(
    ("fault", "times"), [("ignored_commands", 1), ("damaged_responses", 3), ("cut_responses", 3)]
)
def test_a_disturbed_line_costs_the_card_and_not_the_reader(
    world: Pn532OnPty, reader: Reader, fault: str, times: int
) -> None:
    world.present(PatternChip())
    card = tap(reader)
    setattr(world.line, fault, times)
    with pytest.raises(CardLost, match="line to the reader"):
        card.exchange(LONGEST)
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


def test_a_disturbed_line_is_forgiven_while_waiting(world: Pn532OnPty, reader: Reader) -> None:
    world.present(PatternChip())
    world.line.ignored_commands = 1
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@pytest.mark.parametrize("silent", [1, 10])
def test_closing_never_fails_and_gives_the_port_back(world: Pn532OnPty, silent: int) -> None:
    reader = nfcpy.open_reader(world.url)
    world.line.ignored_commands = silent
    reader.close()
    reader.close()
    world.line.ignored_commands = 0
    world.present(PatternChip())
    with closing(nfcpy.open_reader(world.url)) as again:
        assert tap(again).exchange(LONGEST) == pattern(LONGEST)


def test_a_closed_reader_stays_closed(world: Pn532OnPty) -> None:
    reader = nfcpy.open_reader(world.url)
    reader.close()
    world.present(PatternChip())
    with pytest.raises(ReaderUnplugged):
        reader.wait_for_card(timeout_s=0.05, cancelled=lambda: False)
    with pytest.raises(ReaderUnplugged):
        reader.wait_for_removal(timeout_s=0.05, cancelled=lambda: False)


def test_a_chip_that_answers_no_more_is_unplugged(world: Pn532OnPty, reader: Reader) -> None:
    world.present(PatternChip())
    card = tap(reader)
    world.line.ignored_commands = 10
    with pytest.raises(ReaderUnplugged, match="no longer answers"):
        card.exchange(LONGEST)


@pytest.mark.parametrize(
    ("faults", "failure"),
    [
        (Faults(unplug_after=1), ReaderUnplugged),
        (Faults(tear_after=1), CardLost),
        (Faults(mute_at=2), CardLost),
    ],
)
def test_a_fault_of_the_bench_is_what_it_is_called(
    world: Pn532OnPty, reader: Reader, faults: Faults, failure: type[TerminalError]
) -> None:
    time = CardTime()
    chip = PatternChip()
    world.present(FaultyChip(chip, lambda: faults, sleep=time.spend))
    card = tap(reader)
    assert card.exchange(LONGEST) == pattern(LONGEST)
    with pytest.raises(failure):
        card.exchange(LONGEST)
    if failure is ReaderUnplugged:
        world.replug()
    world.present(chip)
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


def test_a_mute_card_is_still_there(world: Pn532OnPty, reader: Reader) -> None:
    world.present(FaultyChip(PatternChip(), lambda: Faults(mute_at=1), sleep=CardTime().spend))
    with pytest.raises(CardLost):
        tap(reader).exchange(LONGEST)
    assert not reader.wait_for_removal(timeout_s=0.2, cancelled=lambda: False)


def test_a_chip_left_at_the_high_speed_is_found_again(world: Pn532OnPty) -> None:
    """A till that is killed cannot set the speed back; the next one must still find the chip."""
    killed = nfc.clf.pn532.init(nfcpy_uart.Uart(world.path))
    killed.chipset.transport.close()
    assert world.baud == 921600
    reader = nfcpy.open_reader(world.url)
    world.present(PatternChip())
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)
    reader.close()


def test_closing_leaves_the_chip_at_its_usual_speed(world: Pn532OnPty) -> None:
    reader = nfcpy.open_reader(world.url)
    assert world.baud == 921600
    reader.close()
    assert world.baud == 115200


# Addresses.


@pytest.mark.parametrize(
    "url",
    [
        "nfcpy:",
        "nfcpy:tty",
        "nfcpy:tty:",
        "nfcpy:tty:USB0:arygon",
        "nfcpy:usb:072f",
        "nfcpy:usb:wxyz:2200",
        "nfcpy:udp:localhost",
        "nfcpy:udp::54321",
        "nfcpy:udp:localhost:0",
        "nfcpy:udp:localhost:65536",
        "nfcpy:spi:0",
    ],
)
def test_a_malformed_address_is_refused_with_the_right_ones(url: str) -> None:
    with pytest.raises(ReaderNotFound, match="nfcpy:tty:USB0:pn532") as caught:
        nfcpy.open_reader(url)
    assert repr(url) in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/dev/$(reboot)", "/dev/tty;ls", "/dev/a b", "USB0`id`", "U\n", "\0", "/"]
)
def test_a_path_that_a_shell_would_read_is_refused(path: str) -> None:
    with pytest.raises(ReaderNotFound):
        nfcpy.open_reader(f"nfcpy:tty:{path}:pn532")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nfcpy:tty:NONE9:pn532", "/dev/ttyNONE9 cannot be opened (no such file or directory)"),
        ("nfcpy:tty:/dev/null:pn532", "/dev/null cannot be opened"),
        ("nfcpy:usb:ffff:ffff", "No USB reader that nfcpy knows is attached as usb:ffff:ffff"),
        ("nfcpy:udp:no.such.host.invalid:54321", "'no.such.host.invalid' of the reader is unknown"),
    ],
)
def test_a_reader_that_is_not_there_is_not_found(url: str, message: str) -> None:
    with pytest.raises(ReaderNotFound, match=re.escape(message)) as caught:
        nfcpy.open_reader(url)
    assert caught.value.remedy


# No USB reader can be had here, so what libusb says of one is put into its mouth.
@pytest.mark.parametrize(
    ("says", "message", "remedy"),
    [
        (OSError(errno.EACCES, "Permission denied"), "(permission denied)", "udev rule"),
        (OSError(errno.EBUSY, "Device or resource busy"), "(device or resource busy)", "pcsc:"),
        (OSError(errno.EIO, "Input/output error"), "(input/output error)", "Unplug it"),
        (libusb.USBErrorNoMem(), "(usberrornomem)", "Unplug it"),
        (None, "No USB reader that nfcpy knows is attached as usb", "access rights"),
    ],
)
def test_a_usb_reader_that_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, says: Exception | None, message: str, remedy: str
) -> None:
    def connect(_: str) -> None:
        if says is not None:
            raise says

    monkeypatch.setattr("nfc.clf.device.connect", connect)
    with pytest.raises(ReaderNotFound, match=re.escape(message)) as caught:
        nfcpy.open_reader("nfcpy:usb")
    assert remedy in caught.value.remedy


def test_known_usb_readers_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    attached = [(0x072F, 0x2200, 1, 4), (0x1D6B, 0x0002, 1, 1)]
    monkeypatch.setattr("nfc.clf.transport.USB.find", lambda _: attached)
    found = [each for each in nfcpy.discover() if ":usb:" in each.url]
    assert found == [FoundReader("nfcpy:usb:072f:2200", "ACR122 on USB", "nfcpy")]


def test_a_usb_bus_that_cannot_be_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_: str) -> None:
        raise OSError(errno.ENOENT, "cannot find a suitable libusb-1.0")

    monkeypatch.setattr("nfc.clf.transport.USB.find", find)
    with pytest.raises(ReaderNotFound, match=r"libusb-1\.0-0"):
        nfcpy.discover()


def test_a_port_without_a_pn532_behind_it_is_not_found() -> None:
    line, device = os.openpty()
    tty.setraw(device)
    try:
        with pytest.raises(ReaderNotFound, match="No PN532 answers") as caught:
            nfcpy.open_reader(f"nfcpy:tty:{os.ttyname(device)}:pn532")
        assert "UART" in caught.value.remedy
    finally:
        os.close(line)
        os.close(device)


def test_a_port_is_opened_by_one_reader_at_a_time(world: Pn532OnPty, reader: Reader) -> None:
    with pytest.raises(ReaderNotFound, match="cannot be opened") as caught:
        nfcpy.open_reader(world.url)
    assert "Another program" in caught.value.remedy
    world.present(PatternChip())
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


def test_what_is_attached_can_be_listed() -> None:
    for found in nfcpy.discover():
        assert found.driver == "nfcpy"
        assert re.fullmatch(r"nfcpy:(usb:[0-9a-f]{4}:[0-9a-f]{4}|tty:/[^:]+:pn532)", found.url)


# Silence: nfcpy's loggers print every frame when they are let.


class Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=0)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage().upper())


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Hears everything that any logger lets through."""
    ear, root = Ear(), logging.getLogger()
    before = root.level
    root.addHandler(ear)
    root.setLevel(0)
    yield ear
    root.removeHandler(ear)
    root.setLevel(before)


MARKER = "C0FFEE15C0FFEE15"


def exchange_marker(world: Pn532OnPty, *, lost: bool) -> None:
    reader = nfcpy.open_reader(world.url)
    world.present(PatternChip(leaves_after=1 if lost else None))
    card = tap(reader)
    command = bytes.fromhex(f"80CA100008{MARKER}00")
    card.exchange(command)
    if lost:
        with pytest.raises(CardLost) as caught:
            card.exchange(command)
        assert MARKER not in str(caught.value).upper()
        assert caught.value.__cause__ is None
    reader.close()


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_nothing_of_an_exchange_is_logged(world: Pn532OnPty, ear: Ear, *, lost: bool) -> None:
    exchange_marker(world, lost=lost)
    assert [line for line in ear.heard if MARKER in line] == []


def test_it_would_be_heard_if_it_were_logged(
    world: Pn532OnPty, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for the test above: nfcpy's loggers, left as they are, tell everything."""
    loud = logging.getLogger("nfc")
    monkeypatch.setattr(loud, "propagate", True)
    before = loud.level
    loud.setLevel(1)
    try:
        exchange_marker(world, lost=False)
    finally:
        loud.setLevel(before)
    assert [line for line in ear.heard if MARKER in line]
