"""What ``taptill keys`` does: the schemes' CA keys on this till, and how a newer set gets in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click

from drivers.ca_key_store import CaKeyStore
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
    beside = keys_file.with_name(f"{keys_file.name}.sig")
    installed = _store(settings).install(keys_file, signature_file or beside)
    click.echo(
        f"Issue {installed.version} is installed. A running till uses it from its next start.",
        err=True,
    )


def _store(settings: Settings) -> CaKeyStore:
    named = settings.config.acquirer.ca_signer_file
    if not named:
        raise ConfigError(
            "No key is configured that may sign CA keys.",
            remedy="Set ca_signer_file in [acquirer] of the configuration to the PEM file that the"
            " acquirer gave.",
        )
    # The address alone is asked, so that a damaged set does not stand in the way of a good one.
    address = urlsplit(settings.config.till.acquirer)
    test = address.scheme == "sim" or dict(parse_qsl(address.query)).get("mode") == "test"
    signer = settings.config_dir / named
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
