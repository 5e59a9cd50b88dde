"""``taptill sim manifest``: the simulated acquirer hands out its key manifest.

Rules of this file: it works on the folder, beside a running acquirer or without one. An acquirer
that runs opens what is sealed to a new key once it was restarted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.certificates import issue_manifest, make_credentials, rotate_opening_key


@click.command(short_help="Issue the acquirer's signed key manifest.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The acquirer's folder.",
)
@click.option("--rotate", is_flag=True, help="Begin a new key first.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write it besides.")
def manifest(*, folder: Path, rotate: bool, out: Path | None) -> None:
    """Issue the acquirer's key manifest; a till pins root.pem of the same folder."""
    place = AcquirerFolder(folder)
    make_credentials(place)
    if rotate:
        rotate_opening_key(place)
    content = issue_manifest(place, datetime.now(UTC))
    if out is not None:
        out.write_bytes(content)
    click.echo(f"{out or place.manifest_file}, signed under {place.root_file}")
