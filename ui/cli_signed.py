"""The commands about what the acquirer signs: ``taptill keys`` and ``taptill exceptions``.

Rules of this file: as in ``ui.cli``, it parses and ``ui.keys`` acts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.cli import with_settings

if TYPE_CHECKING:
    # For real it is imported by the command that runs: --help must not wait for it.
    from ui.wiring import Settings

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_signature = click.option(
    "--signature",
    type=click.Path(path_type=Path, readable=False),
    help="Its signature. Default: the file's name with .sig behind it.",
)


def _load(what: str) -> Callable[[Any], Any]:
    return click.option(
        "--load",
        "file",
        type=click.Path(path_type=Path, readable=False),
        help=f"Take in a newer {what} that the acquirer has signed.",
    )


@click.command(short_help="Show or renew the schemes' CA keys.")
@_load("set")
@_signature
@_json
@with_settings
def keys(*, settings: Settings, file: Path | None, signature: Path | None, as_json: bool) -> int:
    """Show the schemes' CA keys on this till, with which it authenticates cards by itself."""
    from ui import keys as signed  # noqa: PLC0415 - as above

    if file is not None:
        signed.load(settings, file, signature)
    return signed.show(settings, as_json=as_json)


@click.command(short_help="Show or renew the exception file: blocked cards.")
@_load("exception file")
@_signature
@_json
@with_settings
def exceptions(
    *, settings: Settings, file: Path | None, signature: Path | None, as_json: bool
) -> int:
    """Show the exception file on this till: cards that never pay without their bank."""
    from ui import keys as signed  # noqa: PLC0415 - as above

    if file is not None:
        signed.load_exceptions(settings, file, signature)
    return signed.show_exceptions(settings, as_json=as_json)
