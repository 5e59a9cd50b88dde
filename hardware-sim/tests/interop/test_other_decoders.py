"""Decoders that nobody here wrote read the messages: ``iso8583sim`` (PyPI) and ``iso_8583`` (npm).

They are oracles in environments of their own and never dependencies: ``tools/interop`` installs
and runs them, and elsewhere a test skips with the reason. ``iso8583sim`` reads text, so its
messages are those without binary fields, with the bitmap as hexadecimal. ``iso_8583`` reads bytes
as they are sent; it makes text of a binary field, so of those only that they are there is compared.
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
from terminal.iso8583.framing import frame
from terminal.iso8583.messages import compose_echo, repeat_of, reversal_of
from terminal.iso8583.packing import unpack
from terminal.iso8583.profile import Content
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
        pytest.skip("iso8583sim is not installed (PyPI: iso8583sim); tools/interop installs it")
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


READ_WITH_NODE = """
const Iso8583 = require("iso_8583");
const wire = Buffer.from(process.argv[1], "hex");
console.log(JSON.stringify(new Iso8583().getIsoJSON(wire)));
"""


@pytest.mark.parametrize("name", ["sale", *MESSAGES])
def test_a_decoder_in_another_language_reads_the_same_bytes(tmp_path: Path, name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed (Debian: nodejs)")
    there = [node, "-e", 'require.resolve("iso_8583")']
    if subprocess.run(there, capture_output=True, check=False).returncode:
        pytest.skip("iso_8583 is not installed (npm: iso_8583); tools/interop installs it")
    wire = _sale(tmp_path) if name == "sale" else MESSAGES[name](tmp_path)
    framed = frame(BASE87.framing, wire).hex()
    done = subprocess.run(
        [node, "-e", READ_WITH_NODE, framed], capture_output=True, text=True, check=True
    )
    ours = unpack(BASE87, wire)
    binary = {
        str(number) for number in ours.fields if BASE87.layout.fields[number].content is Content.B
    }
    read = json.loads(done.stdout)
    assert read.keys() == {"0", *map(str, ours.fields)}
    assert {key: value for key, value in read.items() if key not in binary} == {
        "0": ours.mti,
        **{str(key): value for key, value in ours.fields.items() if str(key) not in binary},
    }
