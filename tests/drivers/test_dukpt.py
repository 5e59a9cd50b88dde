"""AES DUKPT against the standard's vectors, and its state against pulled plugs."""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drivers import dukpt
from drivers.dukpt import DukptSealer, State, inject
from drivers.key_blocks import KeyBlock, unwrap, wrap
from drivers.keystore import FileKeyStore
from hardware_sim import dukpt as host
from terminal.errors import KeyStoreError
from terminal.ports import KeyStore, Sealer

KEY_ID = bytes.fromhex("1234567890123456")
BASE_KEY = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1" * 2)


def vectors(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "crypto" / "aes_dukpt.json").read_text())[
        "vectors"
    ]
    return found


def test_the_terminal_comes_to_every_published_key(vectors_dir: Path) -> None:
    """From the initial key alone, through the registers, as a terminal does."""
    checked = 0
    for vector in vectors(vectors_dir):
        if "ksn" not in vector:
            continue
        serial = bytes.fromhex(vector["ksn"])
        wanted = int.from_bytes(serial[8:], "big")
        initial = bytes.fromhex(vector["initial_key"])
        state = State.begin(bytes.fromhex(vector["initial_key_id"]), initial)
        counter, key, _ = _state_at(state, initial, wanted).next()
        assert counter == wanted, vector["id"]
        assert key.hex().upper() == vector["txn_key"], vector["id"]
        for length in (16, 32):
            name = f"data_encryption_encrypt_key_aes{8 * length}"
            if name in vector:
                made = dukpt.working_key(key, dukpt.DATA_ENCRYPTION, serial, length)
                assert made.hex().upper() == vector[name], vector["id"]
        checked += 1
    assert checked >= 16


def _state_at(fresh: State, initial: bytes, counter: int) -> State:
    """The registers as they are at a counter, made from the initial key; see the walk below."""
    registers: list[bytes | None] = [None] * dukpt.REGISTERS
    for index in range(dukpt.REGISTERS):
        # The register of a bit holds the key of the next counter in which that bit is lowest.
        above = counter >> (index + 1) << (index + 1)
        following = above | 1 << index
        if following < counter:
            continue
        if following.bit_count() <= dukpt.ONE_BITS_MAX:
            serial = fresh.key_id + following.to_bytes(4, "big")
            registers[index] = host.aes_transaction_key(initial, serial)
    return State(fresh.key_id, counter, tuple(registers))


def test_the_registers_walk_as_the_shortcut_says_and_skip_what_has_too_many_bits() -> None:
    initial = host.aes_initial_key(BASE_KEY, KEY_ID)
    state = State.begin(KEY_ID, initial)
    last = 0
    for step in range(3000):
        if step in {0, 1, 5, 64, 700, 2999}:
            assert _state_at(state, initial, state.counter).next()[:2] == state.next()[:2]
        counter, key, state = state.next()
        assert counter == last + 1
        serial = KEY_ID + counter.to_bytes(4, "big")
        if step % 37 == 0:
            assert key == host.aes_transaction_key(initial, serial)
        last = counter
    near = _state_at(state, initial, 0x1FFFE)
    counter, _, after = near.next()
    assert (counter, after.next()[0]) == (0x1FFFE, 0x20000), "0x1FFFF has 17 bits"
    end = _state_at(state, initial, 0xFFFF_0000)
    counter, _, after = end.next()
    assert counter == 0xFFFF_0000
    with pytest.raises(KeyStoreError, match="no serial number left"):
        after.next()


def test_a_used_key_cannot_be_derived_from_what_is_left() -> None:
    initial = host.aes_initial_key(BASE_KEY, KEY_ID)
    state = State.begin(KEY_ID, initial)
    assert initial not in state.registers
    for _ in range(50):
        counter, key, state = state.next()
        assert key not in state.registers
        assert State.from_bytes(state.to_bytes()) == state
        assert state.counter > counter


# -- the sealer ----------------------------------------------------------------------------------


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    return FileKeyStore(tmp_path / "device.key")


@pytest.fixture
def injected(tmp_path: Path, keystore: KeyStore) -> Path:
    path = tmp_path / "dukpt.state"
    initial = host.aes_initial_key(BASE_KEY, KEY_ID)
    block = KeyBlock("B1", "A", "X", {"IK": KEY_ID.hex().upper()}, initial)
    assert inject(path, keystore, block) == KEY_ID.hex()
    return path


def opened(envelope: bytes, info: bytes) -> bytes:
    """What the acquirer does: from the base key and the serial number alone."""
    assert envelope[:2] == b"\x01\x02"
    serial, nonce = envelope[2:14], envelope[14:26]
    initial = host.aes_initial_key(BASE_KEY, serial[:8])
    key = host.aes_working_key(
        host.aes_transaction_key(initial, serial), host.DATA_ENCRYPT, "AES256", serial
    )
    return AESGCM(key).decrypt(nonce, envelope[26:], info)


def test_the_acquirer_opens_each_envelope_and_for_its_sale_alone(
    injected: Path, keystore: KeyStore
) -> None:
    sealer: Sealer = DukptSealer(injected, keystore)
    assert sealer.key_id == KEY_ID.hex()
    envelopes = [sealer.seal(b"card %d" % n, b"sale %d" % n) for n in range(40)]
    for number, envelope in enumerate(envelopes):
        assert opened(envelope, b"sale %d" % number) == b"card %d" % number
        with pytest.raises(InvalidTag):
            opened(envelope, b"sale %d" % (number + 1))
    assert [envelope[10:14] for envelope in envelopes] == [
        n.to_bytes(4, "big") for n in range(1, 41)
    ]


def test_the_state_is_written_before_anything_is_sealed(
    injected: Path, keystore: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = DukptSealer(injected, keystore, reserve=1)
    before = injected.read_bytes()
    sealer.seal(b"", b"")
    assert injected.read_bytes() != before

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyStoreError, match="cannot be written"):
        sealer.seal(b"", b"")


@pytest.mark.parametrize("reserve", [1, 16])
def test_no_serial_number_is_used_twice_wherever_the_plug_is_pulled(
    injected: Path, keystore: KeyStore, monkeypatch: pytest.MonkeyPatch, reserve: int
) -> None:
    """Before or after each call to the disk; what was sealed before it has been sent."""
    used: list[bytes] = []
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    for round_number in range(120):
        sealer = DukptSealer(injected, keystore, reserve=reserve)
        fuse = Fuse(chance.randrange(1, 30), late=chance.random() < 0.5)
        for owner, name in ((os, "open"), (os, "fsync"), (Path, "rename")):
            monkeypatch.setattr(owner, name, fuse.on(getattr(owner, name)))
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                used += [sealer.seal(b"", b"")[2:14]]
        monkeypatch.undo()
        assert len(set(used)) == len(used), f"round {round_number}, seed {seed}"
    assert len(used) > 100


@dataclass
class Fuse:
    """Pulls the plug before, or right after, so many calls."""

    left: int
    late: bool

    def on(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fused(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.late:
                raise KeyboardInterrupt
            result = call(*arguments, **named)
            if self.left == 0:
                raise KeyboardInterrupt
            return result

        return fused


def test_another_device_cannot_use_the_state(
    injected: Path, keystore: KeyStore, tmp_path: Path
) -> None:
    with pytest.raises(KeyStoreError, match="another device"):
        DukptSealer(injected, FileKeyStore(tmp_path / "other.key"))
    injected.write_bytes(injected.read_bytes()[:-1])
    with pytest.raises(KeyStoreError, match="damaged"):
        DukptSealer(injected, keystore)
    injected.unlink()
    with pytest.raises(KeyStoreError, match="no DUKPT key yet"):
        DukptSealer(injected, keystore)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (KeyBlock("D0", "A", "X", {"IK": KEY_ID.hex()}, bytes(32)), "no initial AES DUKPT key"),
        (KeyBlock("B1", "T", "X", {"IK": KEY_ID.hex()}, bytes(32)), "no initial AES DUKPT key"),
        (KeyBlock("B1", "A", "X", {}, bytes(32)), "does not name"),
        (KeyBlock("B1", "A", "X", {"IK": "x"}, bytes(32)), "does not name"),
        (KeyBlock("B1", "A", "X", {"IK": KEY_ID.hex()}, bytes(8)), "is an AES key"),
    ],
)
def test_another_kind_of_key_is_not_injected(
    tmp_path: Path, keystore: KeyStore, block: KeyBlock, said: str
) -> None:
    with pytest.raises(KeyStoreError, match=said):
        inject(tmp_path / "dukpt.state", keystore, block)


# -- key blocks ----------------------------------------------------------------------------------


def test_key_blocks_of_version_d_open_and_all_others_are_refused(vectors_dir: Path) -> None:
    content = json.loads((vectors_dir / "crypto" / "tr31_key_blocks.json").read_text())
    seen = {"opened": 0, "refused": 0}
    for vector in content["vectors"]:
        key, block = bytes.fromhex(vector["kbpk"]), vector["key_block"]
        if vector["result"] == "valid" and block[0] == "D":
            assert unwrap(key, block).key.hex().upper() == vector["key"], vector["id"]
            seen["opened"] += 1
            for place in (0, 5, 17, len(block) - 40, len(block) - 1):
                twin = block[:place] + ("1" if block[place] != "1" else "2") + block[place + 1 :]
                with pytest.raises(KeyStoreError):
                    unwrap(key, twin)
        else:
            with pytest.raises(KeyStoreError):
                unwrap(key, block)
            seen["refused"] += 1
    assert seen["opened"] >= 2
    assert seen["refused"] >= 10


def test_a_block_with_an_identifier_is_opened_and_injected(
    tmp_path: Path, keystore: KeyStore
) -> None:
    protection, initial = bytes(range(32)), host.aes_initial_key(BASE_KEY, KEY_ID)
    # Sixteen digits of identifier behind IK14, and a PB block that brings it to whole blocks.
    header = "D0176B1AX00N0200" + "IK14" + KEY_ID.hex().upper() + "PB0C" + "0" * 8
    block = wrap(protection, header, initial, bytes(14))
    assert len(block) == 176
    found = unwrap(protection, block)
    assert (found.key, found.optional["IK"]) == (initial, KEY_ID.hex().upper())
    inject(tmp_path / "dukpt.state", keystore, found)
    sealer = DukptSealer(tmp_path / "dukpt.state", keystore)
    assert opened(sealer.seal(b"card", b"sale"), b"sale") == b"card"


def test_a_long_optional_block_has_a_long_length() -> None:
    """As X9.143's own example 8.6: two digits for how many digits the length has."""
    protection = bytes(range(32))
    text = "C" * 0x11E
    optional = "CT0004" + f"{10 + len(text):04X}" + text
    header = f"D{0:04d}D0AE00E01" + "00" + optional
    pad = -len(header) % 16
    assert pad == 0 or pad >= 4
    if pad:
        header = f"D{0:04d}D0AE00E02" + "00" + optional + f"PB{pad:02X}" + "0" * (pad - 4)
    header = f"D{len(header) + 128:04d}" + header[5:]
    block = wrap(protection, header, bytes(32), bytes(14))
    assert unwrap(protection, block).optional["CT"] == text
