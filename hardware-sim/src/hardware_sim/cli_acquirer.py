"""``taptill sim acquirer`` and what can be asked of an acquirer: its books, its misbehaviour.

Rules of this file: it talks to people and scripts; the work is done by ``acquirer_host`` and
``acquirer_control``. Nothing here shows a card number.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from hardware_sim.acquirer_amounts import TEST_AMOUNTS
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_folder import FOLDER_NAME
from hardware_sim.acquirer_ledger import Entry
from hardware_sim.cli_tables import capture_row, line, message_row, show, until_ctrl_c

if TYPE_CHECKING:
    # For real the command that needs it imports it: a question to the books must not wait for it.
    from hardware_sim.acquirer_host import AcquirerHost


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


@click.command()
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


@click.command()
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
        until_ctrl_c("The simulated acquirer ends; its books stay."),
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


@click.command()
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


@click.command("set")
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


@click.command()
@_folder_option
@click.option(
    "--pause-ms", default=0, show_default=True, help="How long it is away, in milliseconds."
)
def restart(*, folder: Path | None, pause_ms: int) -> None:
    """Restart a running acquirer from its books."""
    AcquirerControl(folder or _default_folder()).restart(pause_ms)
    click.echo("The acquirer has restarted.")


@click.command()
@_folder_option
def forget(*, folder: Path | None) -> None:
    """Make the acquirer forget its answers: an unflagged copy counts as a new sale."""
    AcquirerControl(folder or _default_folder()).forget_answers()
    click.echo(
        "The acquirer takes every message for a new one, unless it says that it is a repeat."
    )


def _parsed(options: Sequence[str]) -> dict[str, str]:
    parsed = {}
    for text in options:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"{text!r} is not OPTION=VALUE, like latency_ms=300.")
        parsed[name] = value
    return parsed
