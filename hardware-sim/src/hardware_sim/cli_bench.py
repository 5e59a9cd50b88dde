"""``taptill sim bench``: cards, faults and an acquirer on a console, for a till elsewhere.

Rules of this file: it drives stages and controls, and decides nothing. A wrong word is told with
those that exist, and ends nothing.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack

import click

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.cli_tables import capture_row, show
from hardware_sim.hand import Hand
from hardware_sim.scenario import DOORS
from hardware_sim.stage import Stage
from hardware_sim.workshop import Workshop
from terminal.errors import ConfigError, TerminalError

HELP = """\
  tap CARD [FAULT...]   hold a card to the reader, as: tap visa-credit tear_after=2
  put CARD [FAULT...]   the same, and leave it there
  take                  take it away
  cards [TEXT]          list the cards that have TEXT in their names
  unplug, plug, kill    the reader, or what serves it
  network on|off        the way to the acquirer
  acquirer OPTION=VALUE...   make it misbehave, as: acquirer drop_after=1 only=0200
  books                 the acquirer's sales
  quit                  (or the end of the input) end the bench"""


@click.command("bench")
@click.option("--door", type=click.Choice(DOORS), default="sim", show_default=True)
@click.option("--seed", default=0, show_default=True, help="The cards' first counters.")
def bench(*, door: str, seed: int) -> None:
    """Hold simulated cards to a reader by typing; a till in another terminal reads them.

    Each command of the till is shown in plain language as it comes.
    """
    with Workshop() as workshop:
        stage = workshop.stage(door)
        acquirer = workshop.acquirer
        click.echo(f"The bench is ready. In another terminal:\n\n{_line(stage, acquirer)}\n")
        click.echo(f"{HELP}\n")
        table = Table(stage, acquirer, click.echo, seed=seed)
        table.run(_typed())


def _line(stage: Stage, acquirer: AcquirerControl) -> str:
    folder = acquirer.folder.resolve()
    return f"  taptill run --console --reader '{stage.url}' --acquirer 'sim:?dir={folder}'"


def _typed() -> Iterable[str]:
    """What is typed, line by line; Ctrl-C and the end of the input end it."""
    while True:
        if sys.stdin.isatty():
            click.echo("> ", nl=False)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            return
        if not line:
            return
        yield line


class Table:
    """The bench's words and what they do.

    Args:
        stage: where cards are held.
        acquirer: the acquirer beside it.
        write: shows a line; called from any thread.
        seed: the cards' first counters.
    """

    def __init__(
        self, stage: Stage, acquirer: AcquirerControl, write: Callable[[str], None], *, seed: int
    ) -> None:
        self._stage = stage
        self._acquirer = acquirer
        self._write = write
        self._hand = Hand(stage, lambda line: write(f"    {line.strip()}"), seed=seed)
        self._words: dict[str, Callable[[list[str]], None]] = {
            "tap": lambda words: self._tap(words, stays=False),
            "put": lambda words: self._tap(words, stays=True),
            "take": lambda _: self._hand.take(),
            "cards": self._cards,
            "unplug": lambda _: stage.unplug(),
            "plug": lambda _: stage.plug(),
            "kill": lambda _: stage.kill(),
            "network": self._network,
            "acquirer": self._misbehave,
            "books": lambda _: self._books(),
            "help": lambda _: write(HELP),
        }

    def run(self, lines: Iterable[str]) -> None:
        """Does what each line says, until one says ``quit``."""
        with ExitStack() as stack:
            stack.callback(self._hand.take)
            for line in lines:
                try:
                    words = shlex.split(line)
                    if words[:1] in (["quit"], ["exit"]):
                        return
                    if words:
                        self._do(words)
                except ValueError as unbalanced:
                    self._write(f"{unbalanced}.")
                except TerminalError as refused:
                    self._write(str(refused))

    def _do(self, words: list[str]) -> None:
        if words[0] not in self._words:
            raise ConfigError(
                f"{words[0]!r} is no word of the bench.", remedy=f"Words: {', '.join(self._words)}."
            )
        self._words[words[0]](words[1:])

    def _tap(self, words: list[str], *, stays: bool) -> None:
        if not words:
            raise ConfigError("Which card?", remedy="cards lists them.")
        self._hand.tap(words[0], fault=" ".join(words[1:]), stays=stays)

    def _cards(self, words: list[str]) -> None:
        wanted = words[0] if words else ""
        rows = [
            {"card": each.id, "title": each.card.title, "what_it_does": each.card.subtitle}
            for each in map(load_profile, card_ids())
            if wanted in each.id
        ]
        show("Cards", rows, as_json=False)

    def _network(self, words: list[str]) -> None:
        if words not in (["on"], ["off"]):
            raise ConfigError("The network is on or off.")
        self._acquirer.set(refuse=words == ["off"])
        self._write(f"The way to the acquirer is {words[0]}.")

    def _misbehave(self, words: list[str]) -> None:
        behaviour = self._acquirer.set(**dict(word.partition("=")[::2] for word in words))
        options = {name: value for name, value in behaviour.as_options().items() if value}
        self._write(", ".join(f"{name}={value}" for name, value in options.items()))

    def _books(self) -> None:
        show("Sales", [capture_row(row) for row in self._acquirer.captures()], as_json=False)
