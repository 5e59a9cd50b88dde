"""``taptill sim``: the simulator's own commands.

Rules of this file: each command stands in a module of its own, which is imported when the command
is called, so that a list of commands is there at once. Tables for people and ``--json`` for scripts
say the same; a failure is one message that names the thing and the remedy, with exit code 1 (2 for
a wrong command line). Nothing here shows a card number.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click

from terminal.errors import TerminalError

EXIT_FAILED = 1


@dataclass(frozen=True, slots=True)
class Brought:
    """Where a command is, and its line in the list."""

    module: str
    line: str
    attribute: str = ""


COMMANDS: Mapping[str, Brought] = MappingProxyType(
    {
        "acquirer": Brought("cli_acquirer", "Run the simulated acquirer until Ctrl-C."),
        "amounts": Brought(
            "cli_acquirer", "List the amounts that choose the simulated host's answer."
        ),
        "bench": Brought(
            "cli_bench",
            "Hold simulated cards to a reader by typing; a till in another terminal reads them.",
        ),
        "cards": Brought("cli_hold", "List the simulated cards."),
        "conformance": Brought(
            "conformance_cli", "Run third-party case files against the kernels and codecs."
        ),
        "forget": Brought(
            "cli_acquirer",
            "Make the acquirer forget its answers: an unflagged copy counts as a new sale.",
        ),
        "ledger": Brought("cli_acquirer", "Show the acquirer's messages and sales."),
        "manifest": Brought("manifest_cli", "Issue the acquirer's signed key manifest."),
        "message": Brought(
            "cli_message",
            "Check an ISO 8583 message, HEX or - for standard input, against a profile.",
        ),
        "new": Brought(
            "cli_new", "Make a card of your own by answering questions; FILE ends in .toml."
        ),
        "pn532": Brought("cli_hold", "Hold CARD to a simulated PN532 until Ctrl-C."),
        "restart": Brought("cli_acquirer", "Restart a running acquirer from its books."),
        "run": Brought(
            "cli_run",
            "Play scenarios on the real till: FILE, DIR, or without one the standard book.",
        ),
        "set": Brought("cli_acquirer", "Make a running acquirer misbehave.", "change"),
        "vpcd": Brought("cli_hold", "Put CARD into pcscd's virtual reader until Ctrl-C."),
        "world": Brought("world.command", "Simulate shops in virtual time, and prove their books."),
    }
)


class _Guarded(click.Group):
    """Prints a named failure with its remedy instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        del ctx  # click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now."""
        del ctx  # click's signature
        brought = COMMANDS.get(cmd_name)
        if brought is None:
            return None
        module = import_module(f"hardware_sim.{brought.module}")
        found: click.Command = getattr(module, brought.attribute or cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one."""
        del ctx  # click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, brought.line) for name, brought in sorted(COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except TerminalError as failed:
            click.echo(f"taptill sim: {failed.message}", err=True)
            if failed.remedy:
                click.echo(f"  What to do: {failed.remedy}", err=True)
            sys.exit(EXIT_FAILED)


@click.group(
    cls=_Guarded,
    context_settings={"max_content_width": 100},
    short_help="Try it without hardware: simulated cards, readers, acquirer.",
)
def sim() -> None:
    """Simulated cards, readers and acquirer: for a desk without hardware. No money moves."""
