"""The commands of whoever guards the till: ``taptill users`` and ``taptill keyring``.

Rules of this file: as in ``ui.cli``, it parses and ``ui.custody`` acts. A PIN is asked for on the
terminal and never taken from the command line, where a history would keep it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from terminal.roles import Role
from ui.cli import with_settings

if TYPE_CHECKING:
    # For real it is imported by the command that runs: --help must not wait for it.
    from ui.wiring import Settings

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_file = click.argument("file", type=click.Path(path_type=Path, readable=False))
_by = click.option("--by", default="", help="Who asks for it; their PIN is asked for.")


@click.group()
def users() -> None:
    """The people of the till, their roles and PINs, and the audit log."""


@users.command("list")
@_json
@with_settings
def users_list(*, settings: Settings, as_json: bool) -> int:
    """Show who works here."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.users(settings, as_json=as_json)


@users.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@_by
@with_settings
def users_add(*, settings: Settings, name: str, role: str, by: str) -> int:
    """Make NAME known with a role and a new PIN, or give them another role and PIN.

    The first one must be the merchant. From then on a merchant's PIN is asked for.
    """
    from ui import custody  # noqa: PLC0415 - as above

    return custody.add_user(settings, name, Role(role), by=by)


@users.command("remove")
@click.argument("name")
@_by
@with_settings
def users_remove(*, settings: Settings, name: str, by: str) -> int:
    """End the rights of NAME. The name stays in the audit log."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.remove_user(settings, name, by=by)


@users.command("log")
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many entries.")
@_json
@with_settings
def users_log(*, settings: Settings, limit: int, as_json: bool) -> int:
    """Show the audit log: who did what, and when."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.log(settings, limit=limit, as_json=as_json)


@click.group()
def keyring() -> None:
    """The keys that protect cards and the ledger."""


@keyring.command("show")
@_json
@with_settings
def keyring_show(*, settings: Settings, as_json: bool) -> int:
    """Show which keys are in use and until when. None of them is printed."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.show_keys(settings, as_json=as_json)


@keyring.command("import")
@_file
@_by
@with_settings
def keyring_import(*, settings: Settings, file: Path, by: str) -> int:
    """Take in the acquirer's key manifest from FILE; an older one is refused."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.import_manifest(settings, file, by=by)


@keyring.command("inject")
@_file
@click.option(
    "--protection-key",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    help="The file of the key that protects the block, in hexadecimal.",
)
@_by
@with_settings
def keyring_inject(*, settings: Settings, file: Path, protection_key: Path, by: str) -> int:
    """Load this till's DUKPT key from the version D key block in FILE."""
    from ui import custody  # noqa: PLC0415 - as above

    return custody.inject_key(settings, file, protection_key, by=by)


@keyring.command("rotate")
@click.argument("what", type=click.Choice(["ledger", "fingerprints"]))
@_by
@with_settings
def keyring_rotate(*, settings: Settings, what: str, by: str) -> int:
    """Change the key of the ledger's rows, or of the fingerprints of cards.

    The ledger is read whole first, and nothing is changed unless it verifies.
    """
    from ui import custody  # noqa: PLC0415 - as above

    return custody.rotate(settings, what, by=by)
