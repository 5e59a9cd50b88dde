"""``taptill sim cards``, and the readers that hold one of them until Ctrl-C.

Rules of this file: it puts a card into a reader and waits; the readers are ``vpcd`` and ``pn532``.
"""

from __future__ import annotations

import threading
import time

import click

from drivers.door import Chip, PatternChip
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.cli_tables import show, until_ctrl_c
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.profile import Profile
from hardware_sim.vpcd import ISO_DEP, MIFARE_CLASSIC_1K, PORT, VirtualCard
from terminal.errors import ConfigError, ReaderUnplugged

_CHECK_EVERY_S = 0.2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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


@click.command()
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
        with until_ctrl_c("The card is taken out."):
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
    return EmvCard(profile)


@click.command()
@click.argument("card")
def pn532(*, card: str) -> None:
    """Hold CARD to a simulated PN532 until Ctrl-C.

    The PN532 is on a pseudo-terminal; how to address it is printed. "taptill sim cards" lists the
    cards.
    """
    profile = load_profile(card)
    with Pn532OnPty() as reader, until_ctrl_c("The card and the PN532 are taken away."):
        reader.present_profile(profile, _chip(profile))
        click.echo(f"{profile.card.title} is held to a PN532 on {reader.path}.")
        click.echo(f"In another terminal: taptill sell 12.50 --reader {reader.url}")
        threading.Event().wait()
