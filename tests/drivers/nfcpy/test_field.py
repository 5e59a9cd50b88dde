"""nfcpy's real PN532 driver over a real pty: what it makes of cards and other things."""

from __future__ import annotations

import itertools

import pytest

from drivers.door import PatternChip, pattern
from drivers.nfcpy_iso_dep import NotActivated, Terms, terms_of_ats, terms_of_sensb
from hardware_sim.iso_dep import Activation
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.tags import FOREIGN, IsoDepTag, Tag
from terminal.ports import ForeignTag, Reader, SeveralCards, Unreadable
from tests.drivers.nfcpy.taps import LONGEST, tap, wait


@pytest.mark.parametrize(
    ("ats", "terms"),
    [
        ("01", Terms(32, 4096 / 13.56e6 * 16)),
        ("0200", Terms(16, 4096 / 13.56e6 * 16)),
        ("0205", Terms(64, 4096 / 13.56e6 * 16)),
        ("03188F", Terms(256, 4096 / 13.56e6 * 16)),  # TA only: no FWI to be found there.
        ("032870", Terms(256, 4096 / 13.56e6 * 128)),  # TB only.
        ("0578807002", Terms(256, 4096 / 13.56e6 * 128)),
        ("0578807802", Terms(256, 4096 / 13.56e6 * 128, 4096 / 13.56e6 * 256)),
        ("0578807E02", Terms(256, 4096 / 13.56e6 * 128, 4096 / 13.56e6 * 256)),  # At most 78 ms.
        ("057F80F002", Terms(256, 4096 / 13.56e6 * 16)),  # FSCI and FWI that are reserved.
        ("0778807002C0DE", Terms(256, 4096 / 13.56e6 * 128)),
    ],
)
def test_an_answer_to_select_is_read(ats: str, terms: Terms) -> None:
    assert terms_of_ats(bytes.fromhex(ats)) == terms


# TL that does not match, no bytes at all, and a TB that is announced and does not come.
@pytest.mark.parametrize("ats", ["", "00", "0578", "02", "0478", "03287070", "0220"])
def test_a_malformed_answer_to_select_is_refused(ats: str) -> None:
    with pytest.raises(NotActivated):
        terms_of_ats(bytes.fromhex(ats))


def test_a_short_answer_to_request_is_refused() -> None:
    with pytest.raises(NotActivated):
        terms_of_sensb(bytes.fromhex("5001020304000000000081"))


@pytest.mark.parametrize("ats", ["01", "0200", "032870"])
def test_a_card_with_a_short_answer_to_select_can_pay(
    world: Pn532OnPty, reader: Reader, ats: str
) -> None:
    world.present(PatternChip(), ats=Activation.of_ats(bytes.fromhex(ats)))
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@pytest.mark.parametrize("ats", ["00", "0578", "0220"])
def test_a_card_with_a_malformed_answer_to_select_is_unreadable(
    world: Pn532OnPty, reader: Reader, ats: str
) -> None:
    world.present(PatternChip(), ats=Activation(raw_ats=bytes.fromhex(ats)))
    assert wait(reader) == Unreadable("its answer to select is malformed")


TECHNOLOGIES = {
    "MIFARE Classic": "MIFARE Classic",
    "MIFARE Classic 4K": "MIFARE Classic",
    "NTAG": "NFC Type 2 tag",
    "FeliCa": "FeliCa",
    "type B tag": "ISO 14443-3 B",
}


@pytest.mark.parametrize("tag", FOREIGN)
def test_a_foreign_tag_is_named(world: Pn532OnPty, reader: Reader, tag: str) -> None:
    world.present_foreign(tag)
    assert wait(reader) == ForeignTag(TECHNOLOGIES[tag])
    assert not reader.wait_for_removal(timeout_s=0.2, cancelled=lambda: False)
    world.remove()
    assert reader.wait_for_removal(timeout_s=10, cancelled=lambda: False)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(["A", "B", "tag"], repeat=2)))
def test_two_things_in_the_field_are_several_cards(
    world: Pn532OnPty, reader: Reader, first: str, second: str
) -> None:
    def thing(kind: str, uid: str) -> Tag:
        if kind == "tag":
            return Tag("A", bytes.fromhex(uid), sak=0x08)
        return IsoDepTag(PatternChip(), type_b=kind == "B", uid=bytes.fromhex(uid))

    world.present_tags(thing(first, "08010203"), thing(second, "08AABBCC"))
    assert wait(reader) == SeveralCards()


class Flickering(IsoDepTag):
    """A card at the edge of the field: polling reaches it now and then."""

    def __init__(self, reached: str) -> None:
        super().__init__(PatternChip())
        self.reached = list(reached)

    @property
    def answers_polling(self) -> bool:
        here = self.reached.pop(0) == "y" if self.reached else True
        return here and super().answers_polling


@pytest.mark.parametrize("reached", ["yn", "ynn", "ynnn", "ynnnynnnn", "nnnynny"])
def test_a_card_that_flickers_is_waited_for(
    world: Pn532OnPty, reader: Reader, reached: str
) -> None:
    tag = Flickering(reached)
    world.present_tags(tag)
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)
    assert not tag.reached


def test_release_switches_the_field_off(world: Pn532OnPty, reader: Reader) -> None:
    world.present(PatternChip())
    tap(reader)
    assert world.field_on
    reader.release()
    assert not world.field_on
    assert not reader.wait_for_removal(timeout_s=0.1, cancelled=lambda: False)
    assert not world.field_on
