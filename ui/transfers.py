"""Bank transfers by a QR code: what the code says, and how it is drawn.

Rules of this file: nothing is recorded that no code can be shown for.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from terminal.errors import ConfigError
from terminal.money import Amount
from terminal.transaction import Transaction
from terminal.transfer_codes import Payee, merchant_code, sepa_code
from ui.wiring import Parts, Settings

if TYPE_CHECKING:
    from segno import QRCode


def code_text(settings: Settings, amount: Amount, reference: str) -> str:
    """What the QR code of a transfer carries.

    Raises:
        ConfigError: [transfer] does not say who is paid.
        AmountError: such a code cannot ask for this amount.
    """
    config = settings.config.transfer
    payee = Payee(
        name=config.name or settings.config.shop.name,
        iban=config.iban,
        bic=config.bic,
        city=config.city,
        country=config.country,
        network=config.network,
        account=config.account,
    )
    if config.form == "sepa" and not payee.iban:
        raise ConfigError(
            "The till does not know whom a transfer is to pay.",
            remedy='Write the shop\'s IBAN into the configuration: [transfer] iban = "...".',
        )
    make = sepa_code if config.form == "sepa" else merchant_code
    return make(payee, amount, reference)


def require_code(settings: Settings, amount: Amount) -> None:
    """Refuses a transfer for which no code could be shown, before anything is recorded.

    Raises:
        ConfigError, AmountError: as ``code_text``.
    """
    code_text(settings, amount, "X" * 22)


def drawn(text: str) -> QRCode:
    """The code as EPC069-12 and EMV QRCPS want it: error correction M, UTF-8 bytes, no micro QR.

    Raises:
        ConfigError: the package that draws it is not installed.
    """
    try:
        import segno  # noqa: PLC0415 - an extra: a till without transfers does without it
    except ImportError as absent:
        raise ConfigError(
            "The package segno is not installed, so no code can be drawn.",
            remedy="Install it: pip install segno.",
        ) from absent
    return segno.make(text, error="m", micro=False, boost_error=False, encoding="utf-8")


def in_letters(text: str) -> str:
    """The code in block letters, for a terminal of any width above 50 columns."""
    out = io.StringIO()
    drawn(text).terminal(out, compact=True)
    return out.getvalue()


def write_code(text: str, path: Path) -> None:
    """Draws the code into a PNG or SVG file.

    Raises:
        ConfigError: the file has another ending, or cannot be written.
    """
    require_picture(path)
    try:
        drawn(text).save(str(path), scale=6, border=4)
    except OSError as cause:
        raise ConfigError(f"{path} cannot be written ({cause.strerror}).") from cause


def require_picture(path: Path) -> None:
    """Refuses a file that no code can be drawn into.

    Raises:
        ConfigError: it has another ending.
    """
    if path.suffix.lower() not in {".png", ".svg"}:
        raise ConfigError(f"{path} is neither .png nor .svg.", remedy="Name it so.")


def show_code(parts: Parts, sale: Transaction) -> str:
    """Prints the code of an awaited transfer to standard error; what it says."""
    text = code_text(parts.settings, sale.amount, sale.reference)
    click.echo(in_letters(text), err=True)
    click.echo(f"Reference: {sale.reference}", err=True)
    return text
