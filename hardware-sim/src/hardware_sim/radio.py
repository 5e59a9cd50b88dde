"""A radio field with tags in it, whatever the reader in front of it is.

Rules of this file: what lies in the field may be changed from any thread. The lock is held while
a card works, so it is either fully there for a block or not at all.
"""

from __future__ import annotations

import threading

from drivers.door import Chip, PatternChip
from hardware_sim.iso_dep import Activation, CardTime
from hardware_sim.profile import Profile
from hardware_sim.tags import IsoDepTag, Tag, foreign

_SECOND_UID = bytes.fromhex("08319E02")


class RadioField:
    """Cards and tags come and go here."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tags: tuple[Tag, ...] = ()
        self.announced: list[bytes] = []
        """Frames that the reader sent to nobody, with their CRC: enhanced contactless polling."""

    def present(
        self, card: Chip, *, type_b: bool = False, ats: Activation | None = None
    ) -> IsoDepTag:
        """Holds one card to the reader."""
        tag = IsoDepTag(card, type_b=type_b, activation=ats)
        self.present_tags(tag)
        return tag

    def present_two(self, first: Chip, second: Chip, *, second_type_b: bool = False) -> None:
        """Holds two cards to the reader at once."""
        other = IsoDepTag(second, type_b=second_type_b, uid=_SECOND_UID)
        self.present_tags(IsoDepTag(first), other)

    def present_foreign(self, name: str) -> None:
        """Holds a tag that is no payment card to the reader: one of ``tags.FOREIGN``."""
        self.present_tags(foreign(name))

    def present_profile(self, profile: Profile, chip: Chip, time: CardTime | None = None) -> None:
        """Holds to the reader what ``profile`` describes, with ``chip`` in it.

        ``time`` is where the chip spends time instead of sleeping.
        """
        self.present_tags(*tags_of(profile, chip, time))

    def present_tags(self, *tags: Tag) -> None:
        """Holds these to the reader, in place of what was there."""
        with self.lock:
            for tag in self.tags:
                tag.power_off()
            self.tags = tags

    def remove(self) -> None:
        """Takes everything out of the field."""
        self.present_tags()


def crc_a(data: bytes) -> bytes:
    """The two bytes that end a frame of type A, low byte first (ISO/IEC 14443-3, Annex B)."""
    value = 0x6363
    for byte in data:
        mixed = (byte ^ value) & 0xFF
        mixed = (mixed ^ mixed << 4) & 0xFF
        value = value >> 8 ^ mixed << 8 ^ mixed << 3 ^ mixed >> 4
    return value.to_bytes(2, "little")


def tags_of(profile: Profile, chip: Chip, time: CardTime | None = None) -> tuple[Tag, ...]:
    """What a profile is on the air: a card, two of them, or a tag without APDUs."""
    radio = profile.radio
    type_b = radio.type == "B"
    activation = Activation.of_ats(radio.ats) if radio.ats else Activation()
    if profile.card.presents == "card":
        card = IsoDepTag(chip, type_b=type_b, uid=radio.uid, activation=activation, time=time)
        return (card,)
    if profile.card.presents == "several":
        return IsoDepTag(chip), IsoDepTag(PatternChip(), uid=_SECOND_UID)
    sak = radio.sak[0] if radio.sak else 0x00
    # An unreadable card says in its SAK that it takes APDUs, and is mute from then on.
    return (Tag(radio.type, radio.uid, sens=radio.atqa or bytes(2), sak=sak),)
