"""``taptill sim bench``: cards, faults and an acquirer on a console, for a till elsewhere.

Rules of this file: it drives stages and controls, and decides nothing. A wrong word is told with
those that exist, and ends nothing.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import click

from hardware_sim.acquirer_bench import AcquirerBench
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.cli_tables import capture_row, show
from hardware_sim.hand import Hand
from hardware_sim.printer import set_paper
from hardware_sim.scenario import DOORS
from hardware_sim.stage import Stage
from hardware_sim.workshop import Workshop
from terminal.errors import ConfigError, TerminalError

HELP = """\
  tap CARD... [FAULT...]   hold a card or several to the reader: tap visa-credit tear_after=2
  put CARD... [FAULT...]   the same, and leave it there
  take                  take it away
  cards [TEXT]          list the cards that have TEXT in their names
  unplug, plug, kill    the reader, or what serves it
  network on|off        the way to the acquirer
  acquirer OPTION=VALUE...   make it misbehave, as: acquirer drop_after=1 only=0200
  forget                the acquirer forgets what it has answered
  books                 the acquirer's sales
  log                   the acquirer's last messages
  paper in|out          the printer's paper
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
        line = _line(stage, acquirer, workshop.receipts)
        click.echo(f"The bench is ready. In another terminal:\n\n{line}\n")
        click.echo(f"{HELP}\n")
        table = Table(stage, acquirer, click.echo, seed=seed, receipts=workshop.receipts)
        table.run(_typed())


def _line(stage: Stage, acquirer: AcquirerControl, receipts: Path) -> str:
    folder = acquirer.folder.resolve()
    return (
        f"  taptill run --console --reader '{stage.url}' --acquirer 'sim:?dir={folder}'"
        f" --printer 'sim:?dir={receipts}'"
    )


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
        receipts: the folder of the simulated printer.
    """

    def __init__(
        self,
        stage: Stage,
        acquirer: AcquirerControl,
        write: Callable[[str], None],
        *,
        seed: int,
        receipts: Path,
    ) -> None:
        self._stage = stage
        self._acquirer = acquirer
        self._write = write
        self._receipts = receipts
        self._messages = AcquirerBench(acquirer.folder)
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
            "forget": lambda _: self._forget(),
            "books": lambda _: self._books(),
            "log": lambda _: self._log(),
            "paper": self._paper,
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
        # What has no equals sign is no fault, and so a card.
        names = [word for word in words if "=" not in word]
        if not names:
            raise ConfigError("Which card?", remedy="cards lists them.")
        fault = " ".join(word for word in words if "=" in word)
        self._hand.tap(*names, fault=fault, stays=stays)

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

    def _forget(self) -> None:
        self._acquirer.forget_answers()
        self._write("The acquirer has forgotten what it answered: a copy is a new sale.")

    def _log(self) -> None:
        for line in self._messages.log() or ("No message has come.",):
            self._write(f"  {line}")

    def _paper(self, words: list[str]) -> None:
        if words not in (["in"], ["out"]):
            raise ConfigError("Paper is put in, or taken out.", remedy="paper in, or paper out.")
        set_paper(self._receipts, loaded=words == ["in"])
        self._write(f"Paper is {words[0]}.")
