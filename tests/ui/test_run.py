"""``taptill run`` as its user starts it: real processes, and a real window on a real X server."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

from hardware_sim.acquirer import FOLDER_NAME
from hardware_sim.acquirer_control import AcquirerControl
from offline_queue.reports import Reports
from offline_queue.store import Store
from terminal.terms import Tender
from terminal.transaction import State, Transaction
from tests.conftest import ROOT

PATIENCE_S = 60.0
WINDOW = (1280, 720)
# Where things are in the window with a bench, in pixels from its top left corner.
KEY_1, KEY_2, KEY_5, KEY_0 = (505, 175), (625, 175), (625, 275), (625, 475)
KEY_1_PLAIN = (480, 160)
KEY_1_PIXEL = (480, 160, 481, 161)
CHARGE = (235, 485)
WAYS, CASH_TILE = (400, 485), (110, 220)
VISA_CREDIT = (950, 135)
READER_READY, READY_TINT = (740, 97), (231, 250, 240)
AMOUNT = (40, 190, 420, 310)


def _environment(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"}
    }
    return {**kept, "SDL_AUDIODRIVER": "dummy", "LP_NUM_THREADS": "0", **more}


def _sales(data_dir: Path) -> list[Transaction]:
    with Store.read_only(data_dir / "ledger.db") as store:
        return Reports(store).transactions()


def _run(
    data_dir: Path, *options: str, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui", "run", "--data", str(data_dir), *options],
        cwd=ROOT,
        env=_environment(),
        input=typed or "",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_without_display_and_terminal_it_plays_a_demo_and_ends_well(tmp_path: Path) -> None:
    for _ in range(2):  # It can be run twice.
        done = _run(tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 of 4 scenes ended as they should." in done.stdout
        assert done.stderr == ""
    states = [sale.state for sale in _sales(tmp_path)]
    assert states.count(State.APPROVED) == 6
    assert states.count(State.DECLINED) == 2
    captures = AcquirerControl(tmp_path / FOLDER_NAME).captures()
    assert sum(capture.state.value == "captured" for capture in captures) == 6


def test_the_console_till_sells_to_a_person_who_types(tmp_path: Path) -> None:
    done = _run(tmp_path, "--console", typed="12.50\n1\n12,505\nq\n")
    assert done.returncode == 0, done.stderr
    assert "Approved" in done.stdout
    assert "'12,505' is not an amount" in done.stdout
    assert [sale.state for sale in _sales(tmp_path)] == [State.APPROVED]


@pytest.fixture
def display() -> Iterator[str]:
    """An X server of our own, just as large as the window."""
    for tool in ("Xvfb", "xdotool"):
        if shutil.which(tool) is None:
            reason = f"{tool} is not installed"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WINDOW[0]}x{WINDOW[1]}x24"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        assert select.select([reading], [], [], PATIENCE_S)[0], "Xvfb does not start"
        yield f":{os.read(reading, 16).decode().strip()}"
    finally:
        os.close(reading)
        server.terminate()
        server.wait(10)


class Hand:
    """A mouse, and an eye, on one display."""

    def __init__(self, display: str) -> None:
        self._display = display

    def click(self, place: tuple[int, int]) -> None:
        # SDL reads the pointer's place late: a press must not come with the move.
        for words in (["mousemove", *map(str, place)], ["mousedown", "1"], ["mouseup", "1"]):
            subprocess.run(
                ["xdotool", *words], env={**os.environ, "DISPLAY": self._display}, check=True
            )
            time.sleep(0.06)

    def keys(self, *names: str) -> None:
        """Presses keys one after the other, slower than a scanner."""
        for name in names:
            subprocess.run(
                ["xdotool", "key", name], env={**os.environ, "DISPLAY": self._display}, check=True
            )
            time.sleep(0.08)

    def home(self) -> None:
        """Enter until the keypad is there again: the ledger knows of an end before the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while self.look().getpixel(KEY_1_PLAIN) != (255, 255, 255):
            assert time.monotonic() < deadline, "no way back to the amount"
            self.keys("Return")

    def press(self, place: tuple[int, int], watched: tuple[int, int, int, int]) -> None:
        """Clicks, and waits until what is watched has changed: a busy machine draws late."""
        self.change(watched, partial(self.click, place))

    def change(self, watched: tuple[int, int, int, int], deed: Callable[[], object]) -> None:
        """Does something, and waits until what is watched has changed."""
        before = self.look().crop(watched).tobytes()
        deed()
        deadline = time.monotonic() + PATIENCE_S
        while self.look().crop(watched).tobytes() == before:
            assert time.monotonic() < deadline, f"nothing changed after {deed}"
            time.sleep(0.05)

    def look(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self._display)

    def wait_for_colour(self, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.look().getpixel(place) != colour:
            assert time.monotonic() < deadline, f"{self.look().getpixel(place)} at {place}"
            time.sleep(0.1)


@contextmanager
def _till(display: str, data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The till beside its bench, in a process of its own; it must end well when it is asked to."""
    till = subprocess.Popen(
        [sys.executable, "-m", "ui", "run", "--bench", "--data", str(data_dir)],
        cwd=ROOT,
        env=_environment(DISPLAY=display),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        Hand(display).wait_for_colour(KEY_1_PLAIN, (255, 255, 255))
        # The chip that says so is drawn from an event: from here on the till hears and answers.
        Hand(display).wait_for_colour(READER_READY, READY_TINT)
        yield till
    finally:
        if till.poll() is None:
            till.send_signal(signal.SIGTERM)
        said, _ = till.communicate(timeout=PATIENCE_S)
    assert till.returncode == 0, said.decode()
    assert b"Traceback" not in said


def _until(data_dir: Path, *states: State) -> list[Transaction]:
    """Waits until the ledger has sales in these states, newest first."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        # The ledger is made while the till starts.
        found = _sales(data_dir) if (data_dir / "ledger.db").exists() else []
        if [sale.state for sale in found] == list(states):
            return found
        assert time.monotonic() < deadline, [sale.state for sale in found]
        time.sleep(0.1)


@pytest.mark.window
def test_a_sale_with_the_mouse_in_the_real_window(display: str, tmp_path: Path) -> None:
    with _till(display, tmp_path):
        hand = Hand(display)
        for place in (KEY_1, KEY_2, KEY_5, KEY_0):
            hand.press(place, AMOUNT)
        hand.press(CHARGE, AMOUNT)
        _until(tmp_path, State.INTENDED)
        hand.click(VISA_CREDIT)
        [sale] = _until(tmp_path, State.APPROVED)
        assert sale.amount.minor == 1250
        assert sale.card is not None
        assert sale.card.scheme == "Visa"


@pytest.mark.window
def test_keyboard_cash_and_the_end_of_the_process_in_the_real_window(
    display: str, tmp_path: Path
) -> None:
    with _till(display, tmp_path) as till:
        hand = Hand(display)
        # Keys alone: an amount, Enter, and Escape while the card is waited for.
        hand.keys("7", "0", "0", "Return")
        _until(tmp_path, State.INTENDED)
        hand.keys("Escape")
        _until(tmp_path, State.CANCELLED)
        # Enter leaves the result; the next amount is paid in cash, with a click on the way.
        hand.home()
        for key in "500":
            hand.change(AMOUNT, partial(hand.keys, key))
        hand.press(WAYS, AMOUNT)
        hand.press(CASH_TILE, AMOUNT)
        hand.wait_for_colour(KEY_1_PLAIN, (255, 255, 255))
        # The keypad is white, and the result that follows it is not.
        hand.change(KEY_1_PIXEL, partial(hand.keys, "Return"))
        paid, _ = _until(tmp_path, State.APPROVED, State.CANCELLED)
        assert (paid.cash_minor, paid.terms.tender) == (500, Tender.CASH)
        # Whoever ends the process ends the payment in hand, and takes no money.
        hand.home()
        hand.keys("9", "0", "0", "Return")
        _until(tmp_path, State.INTENDED, State.APPROVED, State.CANCELLED)
        till.send_signal(signal.SIGTERM)
        till.wait(PATIENCE_S)
        _until(tmp_path, State.CANCELLED, State.APPROVED, State.CANCELLED)


@pytest.mark.parametrize("reader", ["simm:visa", "sim:no-such-card", "nfcpy:fax", "sim:?nope=1"])
def test_a_wrong_reader_address_does_not_start_a_till(tmp_path: Path, reader: str) -> None:
    done = _run(tmp_path, "--demo", "--reader", reader)
    assert done.returncode == 1
    assert reader in done.stderr
    assert "What to do:" in done.stderr


def test_a_till_without_its_reader_starts_and_says_so(tmp_path: Path) -> None:
    done = _run(tmp_path, "--console", "--reader", "nfcpy:tty:TAPTILL9:pn532", typed="12.50\nq\n")
    assert done.returncode == 0, done.stderr
    assert "No money was taken" in done.stdout
    assert "Traceback" not in done.stderr
