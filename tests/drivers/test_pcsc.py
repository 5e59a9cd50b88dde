"""What PC/SC adds to the contract: readers by name, a daemon that comes and goes, T=0."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from drivers import pcsc, registry
from drivers.door import PatternChip, pattern
from drivers.storage_cards import storage_card_technology
from hardware_sim.daemon import Pcscd
from hardware_sim.pcsc_door import PcscDoor
from hardware_sim.vpcd import VirtualCard, iso_dep_atr, storage_card_atr
from terminal.errors import CardLost, ReaderNotFound, ReaderUnplugged
from terminal.ports import Card, ForeignTag, Reader, SeveralCards, Unreadable

COMMAND = bytes.fromhex("80CA100000")
PATIENCE_S = 20.0


def never() -> bool:
    return False


def tap(reader: Reader) -> Card:
    presented = reader.wait_for_card(timeout_s=PATIENCE_S, cancelled=never)
    assert presented is not None
    assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable)
    return presented


@pytest.fixture
def second_door(pcscd: Pcscd) -> Iterator[PcscDoor]:
    door = PcscDoor(pcscd, slot=1)
    yield door
    door.close()


class Interrupted(PatternChip):
    """Something happens in the world while this chip thinks about its answer."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self.happens = happens

    def exchange(self, command: bytes) -> bytes:
        self.happens()
        return super().exchange(command)


ACR1252 = [
    "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00",
    "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00",
]
CONTACT = "Gemalto PC Twin Reader 00 00"
TWO_SLOTS = ["Virtual PCD 00 00", "Virtual PCD 00 01"]


@pytest.mark.parametrize(
    ("wanted", "attached", "chosen"),
    [
        ("", ACR1252, ACR1252[0]),
        ("", [CONTACT, *ACR1252], ACR1252[0]),
        ("", TWO_SLOTS, TWO_SLOTS[0]),
        ("ACS ACR1252", ACR1252, ACR1252[0]),
        ("acr1252", [CONTACT, *ACR1252], ACR1252[0]),
        (ACR1252[1], ACR1252, ACR1252[1]),
        ("gemalto", [CONTACT, *ACR1252], CONTACT),
        ("Reader", [CONTACT, *ACR1252], ACR1252[0]),
        ("PCD 00 01", TWO_SLOTS, TWO_SLOTS[1]),
    ],
)
def test_a_part_of_the_name_is_enough(wanted: str, attached: list[str], chosen: str) -> None:
    assert pcsc._choose(wanted, attached) == chosen


@pytest.mark.parametrize(
    ("wanted", "attached", "message"),
    [
        ("", [], "No contactless reader is there. No PC/SC reader is attached."),
        ("", [CONTACT], f"No contactless reader is there. Attached: {CONTACT}."),
        ("acr", [CONTACT], f"No PC/SC reader is named 'acr'. Attached: {CONTACT}."),
        (
            "virtual",
            TWO_SLOTS,
            "More than one PC/SC reader is named 'virtual'. Attached: "
            + ", ".join(TWO_SLOTS)
            + ". Name one in full.",
        ),
    ],
)
def test_a_name_that_fits_no_single_reader(wanted: str, attached: list[str], message: str) -> None:
    with pytest.raises(ReaderNotFound) as caught:
        pcsc._choose(wanted, attached)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("atr", "technology"),
    [
        # As pcsc-tools lists them.
        ("3B8F8001804F0CA000000306030001000000006A", "MIFARE Classic"),
        ("3B8F8001804F0CA0000003060300030000000068", "MIFARE Ultralight"),
        ("3B8F8001804F0CA00000030611003B0000000042", "FeliCa"),
        ("3B8F8001804F0CA0000003060B00140000000077", "ICODE"),
        ("3B8F8001804F0CA00000030603FF4000000000D4", "ISO 14443-3 A"),
        ("3B8F8001804F0CA00000030607FFB00000000020", "ISO 14443-3 B"),
        ("3B8F8001804F0CA000000306990000000000000000", None),
        # ISO 14443-4: without and with historical bytes; a contact card; no ATR at all.
        ("3B80800101", None),
        ("3B8A80010031C173C84000009000909", None),
        ("3B6800000073C84012009000", None),
        ("", None),
    ],
)
def test_storage_cards_are_told_by_their_atr(atr: str, technology: str | None) -> None:
    wire = bytes.fromhex(atr if len(atr) % 2 == 0 else atr[:-1])
    assert storage_card_technology(wire) == technology


def test_the_simulator_makes_up_the_same_atrs() -> None:
    assert storage_card_atr(3, 1).hex().upper() == "3B8F8001804F0CA000000306030001000000006A"
    assert iso_dep_atr().hex().upper() == "3B80800101"
    with pytest.raises(ValueError, match="15 historical bytes"):
        iso_dep_atr(bytes(16))


# Each line is what goes to the card and what comes back, in order.
T0_TRANSCRIPTS = {
    "case 1": ("80100000", ["80100000 > 9000"], "9000"),
    "case 2, right length": ("80CA000002", ["80CA000002 > BEEF9000"], "BEEF9000"),
    "case 2, length corrected": (
        "80CA000000",
        ["80CA000000 > 6C02", "80CA000002 > BEEF9000"],
        "BEEF9000",
    ),
    "case 3": ("80DA000001AA", ["80DA000001AA > 9000"], "9000"),
    "case 4, fetched": (
        "00A4040002A00000",
        ["00A4040002A000 > 6102", "00C0000002 > BEEF9000"],
        "BEEF9000",
    ),
    "case 4, fetched in two pieces": (
        "00A4040002A00000",
        ["00A4040002A000 > 6101", "00C0000001 > BE6101", "00C0000001 > EF9000"],
        "BEEF9000",
    ),
    "case 4, nothing to fetch": ("00A4040002A00000", ["00A4040002A000 > 6A82"], "6A82"),
}


@pytest.mark.parametrize("name", T0_TRANSCRIPTS)
def test_an_answer_over_t0_is_fetched(name: str) -> None:
    command, lines, answer = T0_TRANSCRIPTS[name]
    steps = [[bytes.fromhex(side) for side in line.split(" > ")] for line in lines]

    def transmit(sent: bytes) -> bytes:
        expected, reply = steps.pop(0)
        assert sent == expected
        return reply

    assert pcsc._exchange_t0(transmit, bytes.fromhex(command)) == bytes.fromhex(answer)
    assert not steps


def test_a_card_that_never_ends_over_t0_is_cut_off() -> None:
    asked: list[bytes] = []

    def transmit(sent: bytes) -> bytes:
        asked.append(sent)
        return bytes(100) + b"\x61\x64"

    pcsc._exchange_t0(transmit, bytes.fromhex("00A4040002A00000"))
    assert len(asked) < 5


@pytest.mark.pcscd
class TestReaders:
    def test_every_slot_is_discovered_and_opens(self, pcscd: Pcscd) -> None:
        found = {each.name: each for each in pcsc.discover()}
        for slot in pcscd.slots:
            reader = registry.open_reader(found[slot.reader].url)
            assert reader.name == slot.reader
            reader.close()

    def test_two_readers_hold_two_cards(self, pcsc_door: PcscDoor, second_door: PcscDoor) -> None:
        doors = (pcsc_door, second_door)
        chips = [PatternChip(), PatternChip()]
        readers = [door.open() for door in doors]
        for door, chip in zip(doors, chips, strict=True):
            door.present(chip)
        cards = [tap(reader) for reader in readers]
        commands = [bytes((0x80, 0xCA, count, 0, 0)) for count in range(1, 5)]
        for count, command in enumerate(commands):
            assert cards[count % 2].exchange(command) == pattern(command)
        assert [chip.seen for chip in chips] == [commands[0::2], commands[1::2]]
        pcsc_door.remove()
        with pytest.raises(CardLost):
            cards[0].exchange(COMMAND)
        assert cards[1].exchange(COMMAND) == pattern(COMMAND)
        for reader in readers:
            reader.close()

    def test_another_program_holds_the_card(self, pcsc_door: PcscDoor) -> None:
        ours, theirs = pcsc_door.open(), pcsc_door.open()
        pcsc_door.present(PatternChip())
        tap(theirs)
        presented = ours.wait_for_card(timeout_s=PATIENCE_S, cancelled=never)
        assert presented == Unreadable("Another program is using the card.")
        theirs.close()
        assert tap(ours).exchange(COMMAND) == pattern(COMMAND)
        ours.close()

    def test_a_card_that_speaks_t0(self, pcsc_door: PcscDoor) -> None:
        class T0Chip:
            def reset(self) -> None:
                self.waiting = b""

            def exchange(self, command: bytes) -> bytes:
                if command[1] == 0xC0:
                    return self.waiting + b"\x90\x00"
                self.waiting = command[5:]
                return bytes((0x61, len(self.waiting)))

        pcsc_door.present(T0Chip(), atr=bytes.fromhex("3B00"))
        reader = pcsc_door.open()
        card = tap(reader)
        answer = card.exchange(bytes.fromhex("00A4040003A1B2C300"))
        assert answer == bytes.fromhex("A1B2C39000")
        reader.close()


@pytest.mark.pcscd
class TestUnplugging:
    def test_the_reader_is_not_there_yet(self, pcsc_door: PcscDoor) -> None:
        daemon = pcsc_door.daemon
        daemon.stop()
        daemon.start(plugged=False)
        with pytest.raises(ReaderNotFound, match="No PC/SC reader is named 'Virtual"):
            pcsc_door.open()
        assert pcsc_door.slot.reader not in [each.name for each in pcsc.discover()]
        daemon.stop()
        daemon.start()
        pcsc_door.open().close()

    def test_a_reader_goes_and_comes_back(self, pcsc_door: PcscDoor) -> None:
        daemon = pcsc_door.daemon
        reader = pcsc_door.open()
        daemon.stop()
        daemon.start(plugged=False)
        with pytest.raises(ReaderUnplugged):
            reader.wait_for_card(timeout_s=PATIENCE_S, cancelled=never)
        # The daemon runs, and the reader is still away: looked for until the time is up.
        with pytest.raises(ReaderUnplugged, match="went away"):
            reader.wait_for_card(timeout_s=0.3, cancelled=never)
        daemon.stop()
        daemon.start()
        pcsc_door.present(PatternChip())
        assert tap(reader).exchange(COMMAND) == pattern(COMMAND)
        reader.close()

    @pytest.mark.parametrize("end", ["stop", "kill"])
    def test_the_daemon_ends_in_the_middle_of_an_exchange(
        self, pcsc_door: PcscDoor, end: str
    ) -> None:
        reader = pcsc_door.open()
        pcsc_door.present(Interrupted(getattr(pcsc_door.daemon, end)))
        card = tap(reader)
        with pytest.raises(ReaderUnplugged, match="systemctl start pcscd"):
            card.exchange(COMMAND)
        with pytest.raises(CardLost):
            card.exchange(COMMAND)
        reader.release()
        pcsc_door.daemon.start()
        pcsc_door.present(PatternChip())
        assert tap(reader).exchange(COMMAND) == pattern(COMMAND)
        reader.close()

    def test_the_daemon_is_restarted_unnoticed(self, pcsc_door: PcscDoor) -> None:
        reader = pcsc_door.open()
        pcsc_door.daemon.kill()
        pcsc_door.daemon.start()
        pcsc_door.present(PatternChip())
        with pytest.raises(ReaderUnplugged):
            reader.wait_for_card(timeout_s=PATIENCE_S, cancelled=never)
        assert tap(reader).exchange(COMMAND) == pattern(COMMAND)
        reader.close()

    def test_a_closed_reader_says_so(self, pcsc_door: PcscDoor) -> None:
        reader = pcsc_door.open()
        reader.close()
        with pytest.raises(ReaderUnplugged, match="has been closed"):
            reader.wait_for_card(timeout_s=0, cancelled=never)

    def test_no_daemon_at_all(self, pcsc_door: PcscDoor) -> None:
        pcsc_door.daemon.stop()
        for look in (pcsc_door.open, pcsc.discover):
            with pytest.raises(ReaderNotFound, match=r"pcscd does not run.*systemctl start pcscd"):
                look()
        said = [each for each in registry.discover_readers() if isinstance(each, str)]
        assert any(each.startswith("pcsc: ") for each in said)


@pytest.mark.pcscd
class TestCards:
    def test_a_card_lost_and_back_before_the_daemon_looks(self, pcsc_door: PcscDoor) -> None:
        # A card at the edge of the field: gone in an exchange, and back at once.
        reader = pcsc_door.open()
        pcsc_door.present(PatternChip(leaves_after=0))
        card = tap(reader)
        with pytest.raises(CardLost):
            card.exchange(COMMAND)
        chip = PatternChip()
        pcsc_door.present(chip)
        reader.release()
        assert tap(reader).exchange(COMMAND) == pattern(COMMAND)
        assert chip.resets >= 1
        assert chip.seen == [COMMAND]
        reader.close()

    def test_a_broken_chip_does_not_pass_unseen(self, pcsc_door: PcscDoor) -> None:
        class Broken(PatternChip):
            def exchange(self, command: bytes) -> bytes:
                raise KeyError("a defect of the simulation")

        reader = pcsc_door.open()
        pcsc_door.present(Broken())
        with pytest.raises(CardLost):
            tap(reader).exchange(COMMAND)
        with pytest.raises(KeyError, match="a defect of the simulation"):
            pcsc_door.remove()
        reader.close()

    def test_a_card_for_a_reader_that_is_not_there(self, pcsc_door: PcscDoor) -> None:
        card = VirtualCard(PatternChip(), port=pcsc_door.slot.port)
        pcsc_door.daemon.stop()
        with pytest.raises(ReaderNotFound, match=r"No virtual card reader listens on 127.0.0.1:"):
            card.attach()
        assert not card.attached
        card.detach()
