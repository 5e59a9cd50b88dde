"""What is left of a card in a process's memory, and who may look: measured, with controls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.hardening import WIPING
from tests.conftest import ROOT

PAN = "4761739001018887"
TRACK2 = PAN + "D28122011758928889"

# Taps whose cards come in from outside, as from a reader; each is sealed and dropped.
TILL = """
import os, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from drivers.keystore import FileKeyStore, HpkeSealer
from terminal.card import CardData, Pan, Track2
from terminal.money import Amount, Currency
from terminal.tokens import Binding, seal
from datetime import datetime, UTC

keystore = FileKeyStore(Path(sys.argv[1]))
sealer = HpkeSealer(X25519PrivateKey.generate().public_key())
keep = []

def tap(line):
    pan, track2 = line.split(b"|")[:2]
    card = CardData(Pan(pan.decode()), "2812", 1, Track2(track2.decode()), None)
    if sys.argv[2] == "keep":
        keep.append(card)
    binding = Binding("TAPTILL1", 1, "sale_1", "000000", Amount(1250, Currency.of("EUR")),
                      datetime(2026, 11, 23, tzinfo=UTC))
    return seal(card, binding, sealer=sealer, keystore=keystore, random=bytes(20)).token

while line := os.read(0, 4096):
    os.write(1, tap(line).encode() + b"\\n")
"""


def left_in_memory(tmp_path: Path, *, hardened: bool, keep: bool = False) -> int:
    """Copies of the number and the track, in ASCII and BCD, after 20 taps and 5 of other cards."""
    environment = {name: value for name, value in os.environ.items() if name not in WIPING}
    environment |= WIPING if hardened else {}
    script = tmp_path / "till.py"
    script.write_text(TILL)
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "device.key"), "keep" if keep else ""],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        other = "5413330089010483D30052200000000010"
        for track2 in [TRACK2] * 20 + [other] * 5:
            pan = track2[:16]
            process.stdin.write(f"{pan}|{track2}|".encode())
            assert process.stdout.read(64).startswith(b"tok_")
        found = _count(process.pid)
        process.stdin.close()
        process.wait()
    return found


def _count(pid: int) -> int:
    needles = (PAN.encode(), bytes.fromhex(PAN), TRACK2[16:30].encode())
    found = 0
    looked_at = Path(f"/proc/{pid}/mem")
    if not os.access(looked_at, os.R_OK):
        pytest.skip("this user may not look into the memory of its own child")
    with looked_at.open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if "rw" not in rights or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            memory.seek(begin)
            try:
                content = memory.read(end - begin)
            except OSError:
                continue
            found += sum(content.count(needle) for needle in needles)
    return found


def test_nothing_of_a_card_is_left_in_freed_memory(tmp_path: Path) -> None:
    assert left_in_memory(tmp_path, hardened=True) == 0


def test_the_controls_find_what_is_there(tmp_path: Path) -> None:
    assert left_in_memory(tmp_path, hardened=False) > 0, "without the C library's wiping"
    assert left_in_memory(tmp_path, hardened=True, keep=True) > 0, "a card that is kept"


def test_a_command_leaves_no_dump_and_lets_nobody_look(tmp_path: Path) -> None:
    script = (
        "from drivers.hardening import forbid_dumps, hardening, lock_memory;"
        "before = hardening(); forbid_dumps(); locked = lock_memory(); after = hardening();"
        "print(before.not_dumpable, after.no_core_dumps, after.not_dumpable,"
        " locked == after.memory_locked, after.wipes_on_free, *after.missing, sep='|')"
    )
    for environment, wipes in ((WIPING, "True"), (dict.fromkeys(WIPING, ""), "False")):
        printed = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert printed.startswith(f"False|True|True|True|{wipes}"), printed
        assert ("freed memory is not overwritten" in printed) is (wipes == "False")


def test_the_unit_file_sets_what_the_code_looks_for() -> None:
    unit = (ROOT / "docs" / "taptill.service").read_text()
    for name, value in WIPING.items():
        assert f"Environment={name}={value}\n" in unit
    for line in ("LimitCORE=0", "LimitMEMLOCK=infinity", "NoNewPrivileges=yes"):
        assert f"{line}\n" in unit
