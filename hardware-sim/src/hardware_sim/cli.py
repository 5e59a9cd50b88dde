"""``taptill sim``: the simulator's own commands.

Rules of this file: tables for people and ``--json`` for scripts say the same; a failure is one
message that names the thing and the remedy, with exit code 1 (2 for a wrong command line).
Nothing here shows a card number.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from drivers.door import Chip, PatternChip
from hardware_sim.acquirer_amounts import TEST_AMOUNTS
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_folder import FOLDER_NAME
from hardware_sim.acquirer_ledger import Entry
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.cli_bench import bench
from hardware_sim.cli_message import message
from hardware_sim.cli_new import new
from hardware_sim.cli_run import run
from hardware_sim.cli_tables import capture_row, line, message_row, show
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.profile import Profile
from hardware_sim.vpcd import ISO_DEP, MIFARE_CLASSIC_1K, PORT, VirtualCard
from hardware_sim.world.command import world
from terminal.errors import ConfigError, ReaderUnplugged, TerminalError

if TYPE_CHECKING:
    # For real the command that needs it imports it: a list of commands must not wait for it.
    from hardware_sim.acquirer_host import AcquirerHost

EXIT_FAILED = 1
_CHECK_EVERY_S = 0.2
_ON_DEMAND = {"conformance": "conformance_cli", "manifest": "manifest_cli"}


class _Guarded(click.Group):
    """Prints a named failure with its remedy instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return sorted([*super().list_commands(ctx), *_ON_DEMAND])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command; those with much behind them are imported when they are called."""
        if cmd_name in _ON_DEMAND:
            module = import_module(f"hardware_sim.{_ON_DEMAND[cmd_name]}")
            found: click.Command = getattr(module, cmd_name)
            return found
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except TerminalError as failed:
            click.echo(f"taptill sim: {failed.message}", err=True)
            if failed.remedy:
                click.echo(f"  What to do: {failed.remedy}", err=True)
            sys.exit(EXIT_FAILED)


def _default_folder() -> Path:
    """Where a till with default settings keeps its simulated acquirer."""
    if named := os.environ.get("TAPTILL_DATA"):
        return Path(named) / FOLDER_NAME
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data_home) / "taptill" / FOLDER_NAME


_folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The acquirer's folder. Default: sim-acquirer in the till's data folder.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_OPTIONS_METAVAR = "[OPTION=VALUE]..."


@click.group(
    cls=_Guarded,
    context_settings={"max_content_width": 100},
    short_help="Try it without hardware: simulated cards, readers, acquirer.",
)
def sim() -> None:
    """Simulated cards, readers and acquirer: for a desk without hardware. No money moves."""


sim.add_command(world)


@sim.command()
@_json_option
def cards(*, as_json: bool) -> None:
    """List the simulated cards."""
    rows = [
        {
            "card": profile.id,
            "title": profile.card.title,
            "what_it_does": profile.card.subtitle,
        }
        for profile in map(load_profile, card_ids())
    ]
    show("Simulated cards; the reader sim:CARD presents one", rows, as_json=as_json)


@sim.command()
@_json_option
def amounts(*, as_json: bool) -> None:
    """List the amounts that choose the simulated host's answer."""
    rows = [
        {
            "ending": f".{row.ending}",
            "example": row.example,
            "meaning": row.meaning,
            "online": row.request,
            "stored_offline": row.advice,
        }
        for row in TEST_AMOUNTS.values()
    ]
    show("Amounts by their last two digits; all others are approved", rows, as_json=as_json)


@sim.command()
@_folder_option
@click.option("--port", default=0, type=click.IntRange(0, 65_535), help="0: the last one, or any.")
@click.option(
    "--terminal",
    "terminals",
    multiple=True,
    metavar="TERMINAL:MERCHANT",
    help="Serve this terminal and no unknown one; may be given again.",
)
@click.option(
    "--web",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Show the books as a page on 127.0.0.1:PORT; 0 for any port.",
)
@click.argument("options", nargs=-1, metavar=_OPTIONS_METAVAR)
@_json_option
def acquirer(
    *,
    folder: Path | None,
    port: int,
    terminals: Sequence[str],
    web: int | None,
    options: Sequence[str],
    as_json: bool,
) -> None:
    """Run the simulated acquirer until Ctrl-C.

    It shows a line for each message. Options make it misbehave, as in: taptill sim acquirer
    latency_ms=300 drop_after=1
    """
    from hardware_sim.acquirer_host import AcquirerHost, terminal_of  # noqa: PLC0415 - see above

    def watch(entry: Entry) -> None:
        if as_json:
            click.echo(json.dumps(asdict(entry), ensure_ascii=False))
        else:
            click.echo(line(entry))

    host = AcquirerHost(
        folder or _default_folder(),
        port=port,
        terminals=dict(map(terminal_of, terminals)),
        options=_parsed(options),
        watch=watch,
    )
    signal.signal(signal.SIGTERM, lambda *_: host.end())
    with (
        closing(host),
        _page(host, web) as page,
        _until_ctrl_c("The simulated acquirer ends; its books stay."),
    ):
        if as_json:
            where = {"web": page} if page else {}
            click.echo(json.dumps({"port": host.port, "pid": os.getpid(), **where}))
        else:
            _introduce(host, page)
        host.wait()


@contextmanager
def _page(host: AcquirerHost, port: int | None) -> Iterator[str]:
    """Serves the books as a page where that is asked for, and gives its address."""
    if port is None:
        yield ""
        return
    from hardware_sim.acquirer_web import LedgerPage  # noqa: PLC0415 - see above

    title = f"Acquirer on 127.0.0.1:{host.port}"
    with closing(LedgerPage(host.folder.ledger_file, port=port, title=title)) as page:
        yield page.url


def _introduce(host: AcquirerHost, page: str) -> None:
    """How to reach it: by folder, or as a till reaches a real one, with lines to copy."""
    folder, path = host.folder, host.folder.path.resolve()
    address = f"iso8583+tls://127.0.0.1:{host.port}?mode=test"
    files = {
        "ca_file": folder.ca_file,
        "certificate_file": folder.till_certificate_file,
        "private_key_file": folder.till_key_file,
        "sealing_key_file": folder.sealing_key_file,
    }
    lines = [
        f"The simulated acquirer answers on 127.0.0.1:{host.port} (TLS). No money moves.",
        "",
        "A till joins it with",
        f"  --acquirer 'sim:?dir={quote(str(path))}'",
        "or, as it would join a real one, with this configuration:",
        "  [till]",
        f'  acquirer = "{address}"',
        "  [acquirer]",
        *(f'  {name} = "{file.resolve()}"' for name, file in files.items()),
        "Change it live with",
        f"  taptill sim set --dir {path} latency_ms=300",
        *(["Its books as a page", f"  {page}"] if page else []),
        "",
        "Ctrl-C ends it.",
    ]
    click.echo("\n".join(lines) + "\n")


@sim.command()
@_folder_option
@_json_option
def ledger(*, folder: Path | None, as_json: bool) -> None:
    """Show the acquirer's messages and sales."""
    control = AcquirerControl(folder or _default_folder())
    messages, captures = control.ledger(), control.captures()
    if as_json:
        content = {
            "messages": [asdict(row) for row in messages],
            "captures": [{**asdict(row), "state": row.state.value} for row in captures],
        }
        click.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    show("Messages", [message_row(row) for row in messages], as_json=False)
    click.echo()
    show("Sales", [capture_row(row) for row in captures], as_json=False)


@sim.command("set")
@_folder_option
@click.argument("options", nargs=-1, metavar=_OPTIONS_METAVAR)
@_json_option
def change(*, folder: Path | None, options: Sequence[str], as_json: bool) -> None:
    """Make a running acquirer misbehave.

    As in: taptill sim set drop_after=1 latency_ms=300. A count is a number of messages, or
    "always". Without options, shows how things stand. refuse=on takes the network away,
    refuse=off brings it back.
    """
    behaviour = AcquirerControl(folder or _default_folder()).set(**_parsed(options))
    rows = [{"option": name, "value": value} for name, value in behaviour.as_options().items()]
    if as_json:
        click.echo(json.dumps(behaviour.as_options(), indent=2))
    else:
        show("Options", rows, as_json=False)


@sim.command()
@_folder_option
@click.option(
    "--pause-ms", default=0, show_default=True, help="How long it is away, in milliseconds."
)
def restart(*, folder: Path | None, pause_ms: int) -> None:
    """Restart a running acquirer from its books."""
    AcquirerControl(folder or _default_folder()).restart(pause_ms)
    click.echo("The acquirer has restarted.")


@sim.command()
@_folder_option
def forget(*, folder: Path | None) -> None:
    """Make the acquirer forget its answers: an unflagged copy counts as a new sale."""
    AcquirerControl(folder or _default_folder()).forget_answers()
    click.echo(
        "The acquirer takes every message for a new one, unless it says that it is a repeat."
    )


@sim.command()
@click.argument("card")
@click.option("--port", default=PORT, show_default=True, help="Where the virtual reader listens.")
def vpcd(*, card: str, port: int) -> None:
    """Put CARD into pcscd's virtual reader until Ctrl-C.

    Then: taptill sell 12.50 --reader pcsc:Virtual. "taptill sim cards" lists the cards.
    """
    profile = load_profile(card)
    virtual = _virtual_card(profile, port)
    virtual.attach()
    try:
        with _until_ctrl_c("The card is taken out."):
            click.echo(f"{profile.card.title} lies in the virtual reader. Ctrl-C takes it out.")
            while virtual.attached:
                time.sleep(_CHECK_EVERY_S)
            raise ReaderUnplugged(
                "The virtual reader has gone away.", remedy="Is pcscd still running?"
            )
    finally:
        virtual.detach()


def _virtual_card(profile: Profile, port: int) -> VirtualCard:
    match profile.card.presents:
        case "card":
            return VirtualCard(_chip(profile), port=port, atr=ISO_DEP)
        case "tag":
            return VirtualCard(PatternChip(), port=port, atr=MIFARE_CLASSIC_1K)
        case "unreadable":
            return VirtualCard(PatternChip(), port=port, mute=True)
        case _:
            raise ConfigError(
                f"{profile.id!r} cannot lie in the virtual reader, which has room for one card.",
                remedy=f"Use: taptill sim pn532 {profile.id}",
            )


def _chip(profile: Profile) -> Chip:
    from hardware_sim.card import EmvCard  # noqa: PLC0415 - see above

    return EmvCard(profile)


@contextmanager
def _until_ctrl_c(farewell: str) -> Iterator[None]:
    """Ctrl-C ends what is inside, and is no failure."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(farewell, err=True)


@sim.command()
@click.argument("card")
def pn532(*, card: str) -> None:
    """Hold CARD to a simulated PN532 until Ctrl-C.

    The PN532 is on a pseudo-terminal; how to address it is printed. "taptill sim cards" lists the
    cards.
    """
    profile = load_profile(card)
    with Pn532OnPty() as reader, _until_ctrl_c("The card and the PN532 are taken away."):
        reader.present_profile(profile, _chip(profile))
        click.echo(f"{profile.card.title} is held to a PN532 on {reader.path}.")
        click.echo(f"In another terminal: taptill sell 12.50 --reader {reader.url}")
        threading.Event().wait()


sim.add_command(run)
sim.add_command(bench)
sim.add_command(new)
sim.add_command(message)


def _parsed(options: Sequence[str]) -> dict[str, str]:
    parsed = {}
    for text in options:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{text!r} is not OPTION=VALUE, like latency_ms=300.")
        parsed[name] = value
    return parsed
