"""A chip, a card or a line that says anything at all costs a tap, and never the till."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import threading
import tty
from collections.abc import Iterator

import pytest

from drivers import nfcpy
from drivers.door import PatternChip, pattern
from hardware_sim.iso_dep import Answer
from hardware_sim.nfc_udp import CardOnUdp
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.pn532_chip import Pn532
from hardware_sim.tags import IsoDepTag
from terminal.errors import CardError, CardLost, ReaderNotFound
from terminal.ports import ForeignTag, Reader, SeveralCards, Unreadable
from tests.drivers.nfcpy.taps import LONGEST, tap

COMMAND = bytes.fromhex("80CA100000")


class Babbler(IsoDepTag):
    """A card that gives random frames from a certain one on."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(PatternChip(), type_b=chance.random() < 0.5)
        self.chance = chance
        self.sound = chance.randrange(4)

    def frame(self, data: bytes) -> Answer | None:
        answer = super().frame(data)
        self.sound -= 1
        if self.sound >= 0:
            return answer
        block = bytearray(self.chance.randbytes(self.chance.choice((0, 1, 2, 5, 20, 254))))
        if block and self.chance.random() < 0.7:
            block[0] = self.chance.choice((0x02, 0x03, 0x12, 0x13, 0xA2, 0xA3, 0xF2, 0xC2))
        return Answer(bytes(block)) if self.chance.random() < 0.9 else None


@pytest.mark.parametrize("seed", range(30))
def test_a_card_that_says_anything(world: Pn532OnPty, reader: Reader, seed: int) -> None:
    babbler = Babbler(random.Random(seed))  # The seed is in the test's name.
    world.present_tags(babbler)
    presented = reader.wait_for_card(timeout_s=0.2, cancelled=lambda: False)
    if presented is not None and not isinstance(presented, SeveralCards | ForeignTag | Unreadable):
        with contextlib.suppress(CardLost, CardError):
            for _ in range(4):
                assert len(presented.exchange(COMMAND)) >= 2
    reader.release()
    world.present(PatternChip())
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@pytest.mark.parametrize("seed", range(10))
def test_a_chip_that_says_anything(
    world: Pn532OnPty, reader: Reader, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # The seed is in the test's name.
    sound = Pn532._list_passive_target

    def lie(chip: Pn532, data: bytes) -> bytes | None:
        truth = sound(chip, data)
        if chance.random() < 0.3:
            return truth
        length = chance.choice((0, 1, 2, 3, 6, 12, 14, 40))
        return bytes((chance.randrange(3),)) + chance.randbytes(length) if length else b""

    chip = world._chip
    chip._commands[0x4A] = lambda data: lie(chip, data)
    for _ in range(20):
        world.present(PatternChip())
        presented = reader.wait_for_card(timeout_s=0.05, cancelled=lambda: False)
        if presented is None or isinstance(presented, SeveralCards | ForeignTag | Unreadable):
            continue
        with contextlib.suppress(CardLost, CardError):
            presented.exchange(COMMAND)
    chip._commands[0x4A] = chip._list_passive_target
    world.present(PatternChip())
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@pytest.mark.parametrize("seed", range(4))
def test_a_host_that_sends_anything_to_the_udp_door(seed: int) -> None:
    chance = random.Random(seed)
    with CardOnUdp(PatternChip()) as world, socket.socket(type=socket.SOCK_DGRAM) as line:
        address = ("127.0.0.1", int(world.url.rpartition(":")[2]))
        for _ in range(200):
            head = chance.choice((b"106A", b"106B", b"212F", b"RFOFF", b"\xff", b"x"))
            data = chance.randbytes(chance.randrange(20)).hex().encode()
            text = chance.choice((data, data.upper(), b"26", b"9320", b"9370", b"050010", b"zz"))
            line.sendto(head + chance.choice((b" ", b"")) + text, address)
        with contextlib.closing(nfcpy.open_reader(world.url)) as reader:
            # A card may lie halted by now; one that is put there afresh is not.
            world.present(PatternChip())
            assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@contextlib.contextmanager
def babbling_port(seed: int) -> Iterator[str]:
    """A serial port that answers whatever is written with random bytes."""
    chance = random.Random(seed)
    line, device = os.openpty()
    tty.setraw(device)
    stop, stopper = os.pipe()
    frames = (
        "0000FF00FF00",
        "0000FF06FAD50332010607E800",
        "0000FF03FDD50332F600",
        "0000FF02FED5151600",
        "0000FF01FF7F8100",
        "0000FFFFFF0002FED5151600",
        "0000FFFFFF",
    )

    def babble() -> None:
        while stop not in select.select([line, stop], [], [])[0]:
            os.read(line, 4096)
            for _ in range(chance.randrange(4)):
                noise = chance.randbytes(chance.randrange(12))
                os.write(line, bytes.fromhex(chance.choice(frames)) or noise)

    thread = threading.Thread(target=babble)
    thread.start()
    try:
        yield os.ttyname(device)
    finally:
        os.write(stopper, b"x")
        thread.join()
        for end in (line, device, stop, stopper):
            os.close(end)


@pytest.mark.parametrize("seed", range(8))
def test_a_port_that_says_anything_is_no_pn532(seed: int) -> None:
    with babbling_port(seed) as path, pytest.raises(ReaderNotFound, match="No PN532 answers"):
        nfcpy.open_reader(f"nfcpy:tty:{path}:pn532")
