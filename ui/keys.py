"""What the acquirer has signed for this till: ``taptill keys`` and ``taptill exceptions``.

The schemes' CA keys and the exception file (blocked accounts), and how a newer issue gets in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click

from drivers.ca_key_store import CaKeyStore
from drivers.exception_store import ExceptionStore
from drivers.signed_store import Issue
from terminal.emv.ca_key_set import CaKeySet
from terminal.emv.settings import SCHEMES_BY_RID
from terminal.errors import ConfigError
from ui.tables import print_json, print_table
from ui.wiring import Settings, data_dir


def show(settings: Settings, *, as_json: bool) -> int:
    """The keys that are installed, each with its last day."""
    installed = _store(settings).load()
    today = datetime.now(UTC).date()
    rows = _rows(installed) if installed else []
    if as_json:
        print_json(
            {
                "issue": installed.version if installed else None,
                "issued": installed.issued.isoformat() if installed else None,
                "environment": installed.environment if installed else None,
                "keys": rows,
                "revoked": len(installed.keys.revoked) if installed else 0,
            }
        )
        return 0
    headings = {"scheme": "Scheme", "index": "Index", "bits": "Bits", "expires": "Last day"}
    empty = "No CA keys are installed: every card is authenticated by its issuer, online."
    print_table("CA keys", headings, rows, empty)
    if installed:
        late = len(installed.expired(today))
        click.echo(
            f"\nIssue {installed.version} of {installed.issued}, {installed.environment}."
            f" {late} expired, {len(installed.keys.revoked)} certificates revoked."
        )
    return 0


def load(settings: Settings, keys_file: Path, signature_file: Path | None) -> None:
    """Takes a newer set in; its signature is beside it unless it is named."""
    _taken_in(_store(settings).install(keys_file, signature_file or _beside(keys_file)))


def show_exceptions(settings: Settings, *, as_json: bool) -> int:
    """Which issue of the exception file is installed, and how many accounts it blocks."""
    installed = _exceptions(settings).load()
    if as_json:
        print_json(
            {
                "issue": installed.version if installed else None,
                "issued": installed.issued.isoformat() if installed else None,
                "accounts": len(installed.accounts) if installed else 0,
            }
        )
    elif installed is None:
        click.echo("No exception file is installed: blocked cards are refused by their bank alone.")
    else:
        click.echo(
            f"Issue {installed.version} of {installed.issued}: {len(installed.accounts)} blocked"
            " cards and accounts. They never pay offline."
        )
    return 0


def load_exceptions(settings: Settings, file: Path, signature_file: Path | None) -> None:
    """Takes a newer exception file in; its signature is beside it unless it is named."""
    _taken_in(_exceptions(settings).install(file, signature_file or _beside(file)))


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sig")


def _taken_in(installed: Issue) -> None:
    click.echo(
        f"Issue {installed.version} is installed. A running till uses it from its next start.",
        err=True,
    )


def _exceptions(settings: Settings) -> ExceptionStore:
    return ExceptionStore.opened(data_dir(settings), _signer(settings, "an exception file"))


def _signer(settings: Settings, what: str) -> Path:
    named = settings.config.acquirer.ca_signer_file
    if not named:
        raise ConfigError(
            f"No key is configured that may sign {what}.",
            remedy="Set ca_signer_file in [acquirer] of the configuration to the PEM file that the"
            " acquirer gave.",
        )
    return settings.config_dir / named


def _store(settings: Settings) -> CaKeyStore:
    # The address alone is asked, so that a damaged set does not stand in the way of a good one.
    address = urlsplit(settings.config.till.acquirer)
    test = address.scheme == "sim" or dict(parse_qsl(address.query)).get("mode") == "test"
    signer = _signer(settings, "CA keys")
    return CaKeyStore.opened(data_dir(settings), signer, production=not test)


def _rows(installed: CaKeySet) -> list[dict[str, object]]:
    return [
        {
            "scheme": SCHEMES_BY_RID.get(key.rid, key.rid.hex().upper()),
            "index": f"{key.index:02X}",
            "bits": len(key.modulus) * 8,
            "expires": key.expires.isoformat() if key.expires else "",
        }
        for key in installed.keys.keys
    ]
