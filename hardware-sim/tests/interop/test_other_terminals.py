"""Programs that nobody here wrote read the simulated cards through the real pcscd.

``opensc-tool`` and ``pcsc_scan`` are Debian packages, and ``emvtool`` is the PyPI package ``emv``,
in an environment of its own (``tools/interop`` makes it). A test skips, with the reason, where its
program is not installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from hardware_sim.catalogue import load_profile
from hardware_sim.handles import CardHandle, ReaderHandle

PPSE = "00A404000E325041592E5359532E444446303100"

pytestmark = [pytest.mark.pcscd, pytest.mark.sim_door("pcsc")]


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed ({package})")
    return found


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def received(text: str) -> list[tuple[str, bytes]]:
    """Status word and data of each answer, as opensc-tool prints them."""
    answers = []
    for part in text.split("Received (SW1=0x")[1:]:
        status = part[:2] + part[10:12]
        rows = [line[:48] for line in part.splitlines()[1:] if re.match(r"([0-9A-F]{2} )+", line)]
        answers.append((status, bytes.fromhex("".join(rows))))
    return answers


@pytest.mark.parametrize(
    ("card", "aids"),
    [
        ("visa-credit", ("A0000000031010",)),
        ("mastercard-credit", ("A0000000041010",)),
        ("amex", ("A00000002501",)),
        ("maestro-or-visa", ("A0000000043060", "A0000000031010")),
    ],
)
def test_opensc_lists_and_selects_the_applications(
    sim_reader: ReaderHandle, card: str, aids: tuple[str, ...]
) -> None:
    tool = program("opensc-tool", "Debian: opensc")
    sim_reader.put(CardHandle(card))
    assert sim_reader.name in output(tool, "--list-readers")
    selects = [f"00A40400{len(aid) // 2:02X}{aid}00" for aid in aids]
    sent = [argument for apdu in (PPSE, *selects) for argument in ("--send-apdu", apdu)]
    told = output(tool, "--reader", sim_reader.name, *sent)
    directory, *applications = received(told)
    assert directory[0] == "9000"
    places = [directory[1].find(bytes.fromhex(f"4F{len(aid) // 2:02X}{aid}")) for aid in aids]
    assert -1 not in places
    assert places == sorted(places)
    for aid, (status, data) in zip(aids, applications, strict=True):
        assert status == "9000"
        assert bytes.fromhex(f"84{len(aid) // 2:02X}{aid}") in data


def test_pcsc_scan_sees_the_reader(sim_reader: ReaderHandle) -> None:
    tool = program("pcsc_scan", "Debian: pcsc-tools")
    assert sim_reader.name in output(tool, "-r")


@pytest.mark.parametrize("card", ["visa-credit", "maestro-or-visa"])
def test_the_emv_client_lists_the_applications(sim_reader: ReaderHandle, card: str) -> None:
    tool = program("emvtool", "PyPI: emv; tools/interop installs it")
    handle = CardHandle(card)
    sim_reader.put(handle)
    told = output(tool, "-r", sim_reader.name.split()[-1].lstrip("0") or "0", "listapps")
    for profile in (load_profile(card), *load_profile(card).also):
        assert profile.application is not None
        assert profile.application.label in told
        assert profile.application.aid.hex(" ").upper() in told
