"""``taptill sim new``: makes a card's profile by asking.

Rules of this file: what it writes is read back before it says that all is well, so a file that it
leaves is a card that works.
"""

from __future__ import annotations

from pathlib import Path

import click

from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.profile import ERRORS
from hardware_sim.scrub import test_number
from terminal.errors import ConfigError

_PAYING = ("online", "offline", "decline")
_CVMS = ("none", "signature", "online-pin", "device")


@click.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def new(*, file: Path) -> None:
    """Make a card of your own by answering questions; FILE ends in .toml.

    Then: taptill sell 12.50 --reader sim:FILE
    """
    if file.suffix != ".toml":
        raise ConfigError(f"{file} does not end in .toml.", remedy="Name it my-card.toml.")
    if file.exists():
        raise ConfigError(f"{file} exists already.", remedy="Choose another name, or remove it.")
    known = [
        each.id
        for each in map(load_profile, card_ids())
        if each.account is not None and each.card.bench
    ]
    click.echo(f"Cards to start from: {', '.join(known)}")
    choice = click.Choice(known)
    base = click.prompt("Start from", default=known[0], type=choice, show_choices=False)
    profile = load_profile(base)
    assert profile.account is not None
    title = click.prompt("Its name", default="My card")
    subtitle = click.prompt("What it does, in a few words", default="made by taptill sim new")
    pan = click.prompt("Card number", default=test_number(profile.account.pan))
    expiry = click.prompt("Expiry (YYMM)", default=profile.account.expiry)
    decision = click.prompt("It decides", default="online", type=click.Choice(_PAYING))
    cvm = click.prompt(
        "Above the limit it wants", default=profile.behaviour.cvm, type=click.Choice(_CVMS)
    )
    locked = click.confirm("Must its owner unlock it first, as with a phone?", default=False)
    errors = click.prompt(
        f"Mistakes on purpose ({', '.join(ERRORS)})", default="", show_default=False
    )
    text = _toml(
        base,
        {
            "card": {"title": title, "subtitle": subtitle},
            "account": {"pan": pan, "expiry": expiry},
            "application": {"errors": errors} if errors else {},
            "behaviour": {"decision": decision, "cvm": cvm, "locked": locked},
        },
    )
    file.write_text(text, encoding="utf-8")
    try:
        load_profile(str(file))
    except ConfigError:
        file.unlink()
        raise
    click.echo(f"\n{file} is a card. Try it:\n  taptill sell 12.50 --reader sim:{file}")


def _toml(base: str, sections: dict[str, dict[str, str | int | bool]]) -> str:
    lines = [f'extends = "{base}"']
    for name, keys in sections.items():
        if keys:
            lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def _value(value: str | bool | int) -> str:  # noqa: FBT001 - it is a value of any of these kinds
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
