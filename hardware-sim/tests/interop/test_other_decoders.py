"""A decoder that nobody here wrote reads the messages: ``iso8583sim`` (PyPI, AGPL), as a program.

It is an oracle in an environment of its own and never a dependency; the test skips, with the
reason, where it is not installed. It reads text, so the messages are those without binary fields,
with the bitmap as hexadecimal.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.bench_till import Slip
from terminal.iso8583.messages import compose_echo, repeat_of, reversal_of
from terminal.iso8583.packing import unpack
from terminal.iso8583.profiles import BASE87


def _sale(folder: Path) -> bytes:
    settings = AcquirerSettings(
        terminal_id="TILL0001", merchant_id="SHOP00000000001", state_dir=folder
    )
    acquirer = open_acquirer("sim:", settings)
    try:
        return Slip().message(acquirer.sealer)
    finally:
        acquirer.close()


def _reversal(folder: Path) -> bytes:
    return reversal_of(BASE87, _sale(folder))


MESSAGES: dict[str, Callable[[Path], bytes]] = {
    "reversal": _reversal,
    "repeated reversal": lambda folder: repeat_of(BASE87, _reversal(folder)),
    "echo": lambda _: compose_echo(
        BASE87, stan=7, at=datetime(2026, 5, 4, 10, 30, tzinfo=UTC), terminal_id="TILL0001"
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_an_independent_decoder_reads_the_same_fields(tmp_path: Path, name: str) -> None:
    tool = shutil.which("iso8583sim")
    if tool is None:
        pytest.skip("iso8583sim is not installed (PyPI: iso8583sim, in an environment of its own)")
    wire = MESSAGES[name](tmp_path)
    bitmap_bytes = 16 if wire[4] & 0x80 else 8
    bitmap = wire[4 : 4 + bitmap_bytes].hex().upper()
    text = wire[:4].decode() + bitmap + wire[4 + bitmap_bytes :].decode("ascii")
    out = tmp_path / "parsed.json"
    subprocess.run([tool, "parse", text, "--output", str(out)], check=True, capture_output=True)
    read = json.loads(out.read_text())
    ours = unpack(BASE87, wire)
    assert read.get("fields", read) == {
        "0": ours.mti,
        **{str(number): value for number, value in ours.fields.items()},
    }
