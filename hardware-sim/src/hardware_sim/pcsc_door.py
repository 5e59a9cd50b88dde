"""Cards in front of a real ``pcscd``: the door through which ``drivers/pcsc.py`` is tested."""

from __future__ import annotations

from drivers import pcsc
from drivers.door import Ability, Chip, PatternChip
from hardware_sim.daemon import Pcscd
from hardware_sim.vpcd import ISO_DEP, MIFARE_CLASSIC_1K, VirtualCard
from terminal.ports import Reader

_SETTLE_S = 20.0


class PcscDoor:
    """One slot of the virtual reader of a running daemon (see ``drivers.door.Door``).

    Two cards at once cannot be staged: the driver's interface has room for one.

    Args:
        daemon: running; ``unplug`` stops it, since its readers come and go with it.
        slot: 0 or 1.
    """

    abilities = Ability.FOREIGN | Ability.UNREADABLE | Ability.UNPLUG

    def __init__(self, daemon: Pcscd, *, slot: int = 0) -> None:
        self.daemon = daemon
        self.slot = daemon.slots[slot]
        self._card: VirtualCard | None = None

    @property
    def url(self) -> str:
        """How a till addresses this slot."""
        return f"pcsc:{self.slot.reader}"

    def open(self) -> Reader:
        """See ``drivers.door.Door``."""
        return pcsc.open_reader(self.url)

    def present(self, chip: Chip, *, atr: bytes = ISO_DEP, mute: bool = False) -> None:
        """See ``drivers.door.Door``; ``atr`` and ``mute`` are those of ``VirtualCard``."""
        self.remove()
        card = VirtualCard(chip, port=self.slot.port, atr=atr, mute=mute)
        card.attach()
        self._card = card

    def remove(self) -> None:
        """See ``drivers.door.Door``."""
        card, self._card = self._card, None
        if card is not None:
            card.detach()

    def present_foreign(self) -> None:
        """See ``drivers.door.Door``."""
        self.present(PatternChip(), atr=MIFARE_CLASSIC_1K)

    def present_two(self) -> None:
        """See ``drivers.door.Door``."""
        raise AssertionError("this door cannot stage two cards at once")

    def present_unreadable(self) -> None:
        """See ``drivers.door.Door``."""
        self.present(PatternChip(), mute=True)

    def unplug(self) -> None:
        """See ``drivers.door.Door``."""
        self.daemon.stop()

    def plug(self) -> None:
        """See ``drivers.door.Door``."""
        self.daemon.start()

    def close(self) -> None:
        """Leaves a running daemon and an empty slot to the next user."""
        self.remove()
        self.daemon.start()
        reader = self.open()
        empty = reader.wait_for_removal(timeout_s=_SETTLE_S, cancelled=lambda: False)
        reader.close()
        if not empty:
            raise AssertionError(f"the card in {self.slot.reader} does not go away")
