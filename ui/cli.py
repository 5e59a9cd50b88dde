"""The command line: ``taptill run``, ``sell``, ``readers``, ``queue``, ``sync``, ``report``...

Rules of this file: tables for people and ``--json`` for scripts say the same; every failure is
one message that names the thing and the remedy; the exit code says how it ended.

::

    0  done: approved, stored offline, or nothing to complain about
    1  something failed; the message names it
    2  the command line itself is wrong
    3  declined
    4  cancelled, or nobody tapped
    5  not known yet: ask the customer to wait, a reversal is queued
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.metadata import entry_points
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drivers.hardening import forbid_dumps
from terminal.errors import AnswerLost, TerminalError
from ui.queue_cli import register

if TYPE_CHECKING:
    # For real they are imported by the command that runs: --help must not wait for them.
    from ui.wiring import Settings

EXIT_FAILED = 1
EXIT_NOT_KNOWN = 5
F = TypeVar("F", bound=Callable[..., Any])

_EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong command, 3 declined, 4 cancelled, 5 not known yet."


def _device_options(command: F) -> F:
    """The options of every command that opens the till's own files and devices."""
    options = [
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            help="The till's configuration, a TOML file. Without one the till is simulated.",
        ),
        click.option(
            "--data",
            "data_dir",
            # Not click's to judge: what cannot be read is named with its remedy, like the rest.
            type=click.Path(path_type=Path, readable=False),
            envvar="TAPTILL_DATA",
            help="The folder of the ledger, keys and receipts. Default: $TAPTILL_DATA, or"
            " ~/.local/share/taptill.",
        ),
        click.option(
            "--reader",
            help="The reader's address, like pcsc: or sim:visa-credit. taptill readers lists them.",
        ),
        click.option(
            "--record",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write each tap to this file (.json or .apdu) without its card data, to be played"
            " again with --reader replay:FILE. For tests: it needs the simulator.",
        ),
        click.option("--acquirer", help="The acquirer's address, like iso8583+tls://host:5000."),
        click.option("--printer", help="The printer's address, like file:receipts/."),
        click.option("--currency", help="Three letters, like EUR. Default: that of the config."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _with_settings(command: F) -> F:
    """Turns the options into ``Settings``, and named failures into an exit code."""

    @wraps(command)
    def run(
        *,
        config_file: Path | None,
        data_dir: Path | None,
        reader: str | None,
        acquirer: str | None,
        printer: str | None,
        currency: str | None,
        record: Path | None,
        **rest: Any,
    ) -> None:
        def work() -> int:
            from ui.wiring import load_settings  # noqa: PLC0415 - --help must not wait for it

            settings = load_settings(
                config_file=config_file,
                data_dir=data_dir,
                reader=reader,
                acquirer=acquirer,
                printer=printer,
                currency=currency,
                record=record,
            )
            result: int = command(settings=settings, **rest)
            return result

        _guarded(work)

    return _device_options(run)  # type: ignore[return-value]  # click keeps no signatures


def _guarded(work: Callable[[], int]) -> None:
    """Runs a command: a named failure is printed with its remedy and ends with code 1."""
    # A crash must not write memory to the disk: for some milliseconds of a tap it holds a card.
    forbid_dumps()
    try:
        code = work()
    except TerminalError as failed:
        click.echo(f"taptill: {failed.message}", err=True)
        if failed.remedy:
            click.echo(f"  What to do: {failed.remedy}", err=True)
        code = EXIT_NOT_KNOWN if isinstance(failed, AnswerLost) else EXIT_FAILED
    _let_go_of_deaf_streams()
    sys.exit(code)


def _let_go_of_deaf_streams() -> None:
    """Sends what nobody reads any more to nowhere.

    Python ends with a code of its own (120) when it cannot write out at its end what is left
    for a closed pipe, and a sale's exit code must say how the sale ended.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


with_settings = _with_settings
"""For the commands that live in modules of their own."""

_ELSEWHERE = {
    "exceptions": "ui.cli_signed",
    "keys": "ui.cli_signed",
    "keyring": "ui.cli_custody",
    "users": "ui.cli_custody",
    **dict.fromkeys(("cash", "export", "insight", "refund", "report", "void"), "ui.cli_day"),
    **dict.fromkeys(("bill", "catalogue", "drawer", "transfer"), "ui.cli_till"),
}


class _Commands(click.Group):
    """The product's commands, and those that installed distributions bring (``sim``)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, the product's own first."""
        del ctx  # click's signature
        return [*self.commands, *sorted(_ELSEWHERE), *sorted(self._brought())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command; a brought one is imported only when it is called."""
        del ctx
        own = self.commands.get(cmd_name)
        if own is not None:
            return own
        if cmd_name in _ELSEWHERE:
            found: click.Command = getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
            return found
        point = self._brought().get(cmd_name)
        brought: click.Command | None = point.load() if point else None
        return brought

    @staticmethod
    def _brought() -> dict[str, Any]:
        return {point.name: point for point in entry_points(group="taptill.commands")}


@click.group(
    cls=_Commands,
    epilog=_EPILOG,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="taptill", message="%(prog)s %(version)s")
def main() -> None:
    """Taptill: take contactless payments, and never lose or double one.

    Start with "taptill run": without a configuration everything is simulated, and no money moves.
    "taptill COMMAND --help" says more. Not certified by EMVCo, PCI or a card scheme.
    """
    # A terminal that lacks a letter shows another way to write it, and never a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


@main.command(short_help="Start the till: a window, or the console without a display.")
@click.option(
    "--bench/--no-bench", default=None, help="With or without the bench of simulated cards."
)
@click.option("--console", is_flag=True, help="Use the terminal, not a window.")
@click.option("--demo", is_flag=True, help="Play four simulated sales and stop.")
@click.option("--size", default="", help="The till's size in pixels, like 800x480.")
@_with_settings
def run(*, settings: Settings, bench: bool | None, console: bool, demo: bool, size: str) -> int:
    """Start the till: a window, or the console where there is no display.

    The default is a till on the simulator, beside a bench of cards to tap with the mouse.
    """
    from ui import commands  # noqa: PLC0415 - --help must not wait for everything else

    return commands.run(settings, bench=bench, console=console, demo=demo, size=size)


def _no_option(_: click.Context, argument: click.Parameter, text: str | None) -> str | None:
    """Hands -1 on, to be refused as an amount; a misspelt --option is still called one."""
    if text is not None and text.startswith("--"):
        raise click.NoSuchOption(text)
    del argument
    return text


@main.command(
    context_settings={"ignore_unknown_options": True}, short_help="Take one payment, like 12.50."
)
@click.argument("amount", required=False, callback=_no_option)
@click.option("--item", "items", multiple=True, help="NAME or barcode of the catalogue: 2xTea.")
@click.option("--discount", default="", help="So many percent off the items, like 10.")
@click.option("--surcharge", default="", help="So many percent on top of the items.")
@click.option("--tip", default="", help="A tip, added to the amount, like 1.20.")
@click.option("--cashier", default="", help="Who sells, for the ledger.")
@click.option(
    "--then",
    multiple=True,
    type=click.Choice(["card", "cash", "transfer"]),
    help="How to go on where a card pays nothing or a part; may be repeated. Default: ask.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def sell(  # noqa: PLR0913 - a command has as many options as it has
    *,
    settings: Settings,
    amount: str | None,
    items: tuple[str, ...],
    discount: str,
    surcharge: str,
    tip: str,
    cashier: str,
    then: tuple[str, ...],
    as_json: bool,
) -> int:
    """Take one payment of AMOUNT, like 12.50, or of some items of the catalogue.

    Then a card is held to the reader. To try it without one: --reader sim:visa-credit. Progress
    goes to standard error, the result to standard output. Ctrl-C cancels. A card that is declined
    or pays a part does not end it: at a terminal the next way to pay is asked for.
    """
    from ui import attended, commands  # noqa: PLC0415 - as above
    from ui import items as catalogue  # noqa: PLC0415 - as above

    if amount is None and not items:
        raise click.UsageError("Missing argument 'AMOUNT', or --item.")
    if (amount is not None and items) or (discount and surcharge):
        raise click.UsageError("Give an AMOUNT or --item, and one of --discount and --surcharge.")
    order = catalogue.reduced(settings, items, discount, surcharge) if items else None
    what = attended.Sold(amount or "", tip, order)
    return commands.sell(settings, what, cashier=cashier, as_json=as_json, then=then)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def readers(*, as_json: bool) -> None:
    """List the readers that are attached, and how to address them."""
    from ui import attached  # noqa: PLC0415 - as above

    _guarded(lambda: attached.readers(as_json=as_json))


register(main, _with_settings)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def sync(*, settings: Settings, as_json: bool) -> int:
    """Forward now what waits, once, and say what became of it."""
    from ui import commands  # noqa: PLC0415 - as above

    return commands.sync(settings, as_json=as_json)


@main.command(short_help="Show how long taps took.")
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many sales to look at.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def taps(*, settings: Settings, limit: int, as_json: bool) -> int:
    """Show how long taps took: the card, the till, each command, against the rule of 500 ms."""
    from ui import taps as times  # noqa: PLC0415 - as above

    return times.taps(settings, limit=limit, as_json=as_json)


@main.group()
def card() -> None:
    """Look at a card, without a payment."""


@card.command("read", short_help="Explain the card that is held to the reader.")
@click.option("--verbose", is_flag=True, help="Show each exchange, byte by byte.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def card_read(*, settings: Settings, verbose: bool, as_json: bool) -> int:
    """Explain the card that is held to the reader: applications, rules, certificates.

    No money moves. Account numbers are masked, unless they are published test numbers. To try it
    without a card: --reader sim:visa-credit.
    """
    from ui import card_tools  # noqa: PLC0415 - as above

    return card_tools.card_read(settings, as_json=as_json, verbose=verbose)


@main.command(short_help="Explain TLV data, like 9F0206000000001000.")
@click.argument("data", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tlv(*, data: tuple[str, ...], as_json: bool) -> None:
    """Explain TLV DATA in hexadecimal: each object, its name and what it says.

    Exit code 1 when some of it cannot be read; the last line says where and why.
    """
    from ui import card_tools  # noqa: PLC0415 - as above

    _guarded(lambda: card_tools.tlv(" ".join(data), as_json=as_json))


@main.command(short_help="Tell a recorded card dialogue in plain language.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def trace(*, file: Path, as_json: bool) -> None:
    """Tell the dialogue in FILE (.apdu or .json) in plain language, each byte accounted for."""
    from ui import card_tools  # noqa: PLC0415 - as above

    _guarded(lambda: card_tools.trace(file, as_json=as_json))


@main.command(short_help="Run this till's kernels against a recorded card.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def replay(*, settings: Settings, file: Path, as_json: bool) -> int:
    """Run this till's kernels against the card in FILE (.apdu or .json). No money moves."""
    from ui import card_tools  # noqa: PLC0415 - as above

    return card_tools.replay(settings, file, as_json=as_json)


@main.command(short_help="Read the whole ledger: is it as this till left it?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def verify(*, settings: Settings, as_json: bool) -> int:
    """Read every row of the ledger and say what is not as this till left it.

    Works beside a running till. Exit code 1 when anything was found.
    """
    from ui import custody  # noqa: PLC0415 - as above

    return custody.verify(settings, as_json=as_json)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_with_settings
def doctor(*, settings: Settings, as_json: bool) -> int:
    """Check reader, keys, ledger, clock, acquirer, display and printer."""
    from ui import doctor as checks  # noqa: PLC0415 - as above

    return checks.doctor(settings, as_json=as_json)
