"""The command line of ``taptill queue`` and ``taptill reset``.

Rules of this file: it parses; ``ui.books`` and ``ui.queue_commands`` act, and are imported only by
the command that runs, since --help must not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ui.wiring import Settings

WithSettings = Callable[[Callable[..., int]], Callable[..., Any]]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_CASHIER = click.option("--cashier", default="", help="Who does it; with PINs, somebody who may.")
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def register(main: click.Group, with_settings: WithSettings) -> None:
    """Adds the commands to ``main``; ``with_settings`` gives each its settings and exit code."""
    main.add_command(_queue_group(with_settings))

    @main.command(short_help="Put the ledger aside and begin another; refused while money waits.")
    @click.option("--by", default="", help="Who does it; with PINs, somebody who may.")
    @_JSON
    @with_settings
    def reset(*, settings: Settings, by: str, as_json: bool) -> int:
        """Put this till's ledger aside, and begin another that goes on with its numbers.

        Refused while a day is open, a bill is due, or money waits that no other till was
        handed. Nothing is deleted; people with their PINs, and what the shop sells, stay.
        """
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.reset(settings, by=by, as_json=as_json)


def _queue_group(with_settings: WithSettings) -> click.Group:
    @click.command()
    @_JSON
    @with_settings
    def show(*, settings: Settings, as_json: bool) -> int:
        from ui import books  # noqa: PLC0415 - see the rules of this file

        return books.queue(settings, as_json=as_json)

    class Queue(click.Group):
        """Lists what waits where no other command is named."""

        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            named = next((word for word in args if not word.startswith("-")), None)
            if named not in self.commands and not {"-h", "--help"} & set(args):
                args = ["list", *args]
            return super().parse_args(ctx, args)

    group = Queue("queue", help=_HELP, short_help="Show what waits for the acquirer, and why.")
    show.help = "Show what waits for the acquirer, and why. Works beside a running till."
    group.add_command(show, "list")

    @group.command()
    @click.argument("number")
    @click.option("--take-back", is_flag=True, help="Even if another till was handed it.")
    @_CASHIER
    @_JSON
    @with_settings
    def retry(
        *, settings: Settings, number: str, take_back: bool, cashier: str, as_json: bool
    ) -> int:
        """Send sale NUMBER round again, that was set aside or waits for a person."""
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.retry(
            settings, number, take_back=take_back, cashier=cashier, as_json=as_json
        )

    _add_bundles(group, with_settings)
    return group


def _add_bundles(group: click.Group, with_settings: WithSettings) -> None:
    @group.command("export")
    @_FILE
    @click.option("--to", "receiver", required=True, help="The till that forwards it: its DE 41.")
    @_CASHIER
    @_JSON
    @with_settings
    def export_(
        *, settings: Settings, file: Path, receiver: str, cashier: str, as_json: bool
    ) -> int:
        """Hand everything that waits to another till, in a sealed FILE.

        It stays pending here until that till's answers are imported.
        """
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.hand_over(
            settings, file, receiver=receiver, cashier=cashier, as_json=as_json
        )

    @group.command("import")
    @_FILE
    @click.option("--code", prompt=True, help="The code that was shown when it was made.")
    @_CASHIER
    @_JSON
    @with_settings
    def import_(*, settings: Settings, file: Path, code: str, cashier: str, as_json: bool) -> int:
        """Take in another till's sales, or the answers to those that it was handed."""
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.take_in(settings, file, code=code, cashier=cashier, as_json=as_json)

    @group.command()
    @_FILE
    @click.option("--bundle", required=True, help="The bundle, as it was named when it came.")
    @_JSON
    @with_settings
    def answers(*, settings: Settings, file: Path, bundle: str, as_json: bool) -> int:
        """Write what the acquirer answered to another till's sales, in a sealed FILE for it."""
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.answers(settings, file, bundle=bundle, as_json=as_json)

    @group.command()
    @_JSON
    @with_settings
    def check(*, settings: Settings, as_json: bool) -> int:
        """End with 1 while money waits that an update, a reset or an uninstall would endanger."""
        from ui import queue_commands  # noqa: PLC0415 - see the rules of this file

        return queue_commands.check(settings, as_json=as_json)


_HELP = """Show what waits for the acquirer, and why; or send it round again, or hand it over.

Without a command it lists, which works beside a running till.
"""
