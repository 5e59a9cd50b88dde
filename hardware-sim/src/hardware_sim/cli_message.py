"""``taptill sim message``: what the acquirer would say about a message's form, field by field."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict

import click

from hardware_sim.cli_tables import show
from hardware_sim.message_check import check_message
from terminal.errors import ConfigError
from terminal.iso8583.profiles import PROFILES, profile_named

EXIT_FAULTS = 1


@click.command("message")
@click.argument("text", metavar="HEX")
@click.option("--profile", default="base87-mac", show_default=True, help=", ".join(PROFILES))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def message(*, text: str, profile: str, as_json: bool) -> None:
    """Check an ISO 8583 message, HEX or - for standard input, against a profile.

    Every fault is told, not the first alone; the exit code is 1 when there is one.
    """
    given = re.sub(r"\s", "", sys.stdin.read() if text == "-" else text)
    if not re.fullmatch(r"([0-9A-Fa-f]{2})+", given):
        raise ConfigError("That is no message.", remedy="Give its bytes in hexadecimal.")
    report = check_message(profile_named(profile), bytes.fromhex(given))
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        rows = [
            {
                "field": str(each.number),
                "name": each.name,
                "value": each.value,
                "presence": each.presence,
                "verdict": each.fault or "ok",
            }
            for each in report.fields
        ]
        show(f"Message {report.mti}, profile {profile}", rows, as_json=False)
        for fault in report.faults:
            click.secho(f"FAULT  {fault}", fg="red")
        if not report.faults:
            click.secho("As the profile wants it.", fg="green")
    if report.faults:
        sys.exit(EXIT_FAULTS)
