"""``record:`` readers: any reader, whose taps are written down as dialogues to be played again.

``record:tap.json?reader=pcsc:ACR1252`` is that reader, and each tap goes into ``tap.json``,
``tap-2.json`` and so on. Only what ``scrub`` lets pass reaches the disk: a real card number never
does. ``replay:tap.json?lenient=1`` then plays the card again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from drivers.registry import FoundReader
from drivers.registry import open_reader as open_by_url
from hardware_sim.scrub import Exchange, StillThere, scrubbed
from terminal.errors import CardLost, ReaderAddressWrong
from terminal.ports import Card, ForeignTag, Presented, Reader, SeveralCards, Unreadable

_SEPARATOR = "?reader="


class _RecordedCard:
    """A card whose dialogue is kept in memory until it has left."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.exchanges: list[Exchange] = []

    @property
    def technology(self) -> str:
        return self._card.technology

    def exchange(self, command: bytes) -> bytes:
        try:
            answer = self._card.exchange(command)
        except CardLost:
            self.exchanges.append(Exchange(command, None))
            raise
        self.exchanges.append(Exchange(command, answer))
        return answer


class RecordingReader:
    """A ``terminal.ports.Reader`` that writes each tap of another one to a file of its own.

    ``troubles`` says why a tap was not written.
    """

    def __init__(self, reader: Reader, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._written = 0
        self._card: _RecordedCard | None = None
        self.troubles: list[str] = []

    @property
    def name(self) -> str:
        """Its name for a person."""
        return f"{self._reader.name}, recorded to {self._path}"

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """See ``terminal.ports.Reader``."""
        self._write()
        found = self._reader.wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        if found is None or isinstance(found, SeveralCards | ForeignTag | Unreadable):
            return found
        self._card = _RecordedCard(found)
        return self._card

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """See ``terminal.ports.Reader``."""
        self._write()
        return self._reader.wait_for_removal(timeout_s=timeout_s, cancelled=cancelled)

    def release(self) -> None:
        """See ``terminal.ports.Reader``."""
        self._reader.release()
        self._write()

    def close(self) -> None:
        """See ``terminal.ports.Reader``."""
        self._write()
        self._reader.close()

    def _write(self) -> None:
        """Writes what was said to the last card; a disk in trouble must not disturb a payment."""
        card, self._card = self._card, None
        if card is None or not card.exchanges:
            return
        try:
            clean = scrubbed(card.exchanges)
            number = self._written + 1
            name = self._path.stem + (f"-{number}" if number > 1 else "")
            path = self._path.with_name(name + self._path.suffix)
            text = _json(clean, card) if path.suffix == ".json" else _lines(clean)
            path.write_text(text, encoding="utf-8")
        except (StillThere, OSError) as trouble:
            self.troubles.append(str(trouble))
        else:
            self._written = number


def _json(exchanges: tuple[Exchange, ...], card: _RecordedCard) -> str:
    content = {
        "note": "Recorded by taptill. Card data was replaced by test values, unless a test card's.",
        "technology": card.technology,
        "exchanges": [
            {
                "command": each.command.hex().upper(),
                "response": None if each.response is None else each.response.hex().upper(),
            }
            for each in exchanges
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def _lines(exchanges: tuple[Exchange, ...]) -> str:
    lines = ["# Recorded by taptill. Card data was replaced by test values, unless a test card's."]
    for each in exchanges:
        answer = "-" if each.response is None else each.response.hex().upper()
        lines += [f"> {each.command.hex().upper()}", f"< {answer}"]
    return "\n".join(lines) + "\n"


def open_reader(url: str) -> RecordingReader:
    """Opens ``record:FILE?reader=ADDRESS``; FILE ends in ``.json`` or ``.apdu``.

    Raises:
        ReaderAddressWrong: the address is malformed, or that of the reader behind it is.
        ReaderError: the reader behind it is not there.
    """
    name, separator, inner = url.removeprefix("record:").partition(_SEPARATOR)
    path = Path(unquote(name))
    if not separator or not inner or path.suffix not in {".json", ".apdu"}:
        raise ReaderAddressWrong(
            f"The reader address {url!r} names no file and reader to record.",
            remedy="Write record:tap.json?reader=pcsc:, with a file in .json or .apdu.",
        )
    if not path.parent.is_dir():
        raise ReaderAddressWrong(
            f"The folder {path.parent} for the recording does not exist.", remedy="Make it first."
        )
    return RecordingReader(open_by_url(inner), path)


def discover() -> list[FoundReader]:
    """Nothing: what is recorded has to be named."""
    return []
