"""AES DUKPT: a key of its own for each sale, for acquirers that want it (ANSI X9.24-3:2017).

Rules of this file: the terminal's half. The state that is on the disk never derives a key that
has been used: it is advanced and synced first, and only then is anything sealed, so a crash
skips key serial numbers and never uses one twice. It is wrapped under the device key.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from drivers.clock import SystemEntropy
from drivers.device_keys import write_synced
from drivers.key_blocks import KeyBlock
from terminal.errors import KeyStoreError
from terminal.ports import Entropy, KeyStore

ENVELOPE_VERSION = 0x01
SUITE_AES_DUKPT = 0x02
KSN_BYTES = 12
NONCE_BYTES = 12
DATA_ENCRYPTION = 0x3000
"""Usage of a key that encrypts data from the terminal to the host (X9.24-3, table 2)."""

REGISTERS = 32
ONE_BITS_MAX = 16
COUNTER_MAX = 0xFFFF_FFFF
RESERVED_SALES = 16
"""How many sales one write of the state is good for; a crash skips what is left of them."""

DUKPT_STATE = "dukpt.state"
"""The file of the state in the till's data folder."""

INITIAL_KEY_USAGE = "B1"
_DERIVATION = 0x8000
_ALGORITHMS = {16: 0x0002, 24: 0x0003, 32: 0x0004}
_STATE_VERSION = b"taptill dukpt state 1"


def derive(key: bytes, usage: int, tail: bytes, length: int) -> bytes:
    """A key of ``length`` bytes from another (X9.24-3, 6.3.2 and 6.3.3)."""
    data = (
        usage.to_bytes(2, "big")
        + _ALGORITHMS[length].to_bytes(2, "big")
        + (8 * length).to_bytes(2, "big")
        + tail
    )
    encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - as the standard has it
    blocks = range(1, -(-length // 16) + 1)
    return b"".join(encryptor.update(bytes((1, n)) + data) for n in blocks)[:length]


@dataclass(frozen=True, slots=True)
class State:
    """A terminal's keys at one moment: the next counter and the intermediate keys it may need.

    ``registers[i]`` derives what has bit ``i`` as its lowest; None where it is erased. ``counter``
    is the next transaction's, above ``COUNTER_MAX`` when all are used.
    """

    key_id: bytes
    counter: int
    registers: tuple[bytes | None, ...] = field(repr=False)

    @classmethod
    def begin(cls, key_id: bytes, initial_key: bytes) -> State:
        """The state after the initial key was loaded (X9.24-3, 6.5.2); the key itself is gone."""
        if len(key_id) != 8 or len(initial_key) not in _ALGORITHMS:
            raise KeyStoreError("An initial DUKPT key is an AES key with an identifier of 8 bytes.")
        empty = cls(key_id, 0, (None,) * REGISTERS)
        return replace(_filled(empty, initial_key, REGISTERS - 1), counter=1)

    def next(self) -> tuple[int, bytes, State]:
        """The next counter, its derivation key, and the state without that key.

        Counters with more than 16 bits set are never used (X9.24-3, 6.5.4).

        Raises:
            KeyStoreError: every counter has been used.
        """
        state = self
        while state.counter <= COUNTER_MAX:
            index = (state.counter & -state.counter).bit_length() - 1
            key = state.registers[index]
            if key is not None:
                break
            state = replace(state, counter=state.counter + (1 << index))
        else:
            raise KeyStoreError(
                "The DUKPT key has no serial number left.",
                remedy="Ask the acquirer for a new initial key.",
            )
        counter, after = state.counter, state
        if counter.bit_count() < ONE_BITS_MAX:
            after = _filled(state, key, index - 1)
            step = 1
        else:
            step = 1 << index
        registers = (*after.registers[:index], None, *after.registers[index + 1 :])
        return counter, key, replace(after, registers=registers, counter=counter + step)

    def to_bytes(self) -> bytes:
        """The state in one fixed form."""
        keys = (key or b"" for key in self.registers)
        listed = b"".join(bytes((len(key),)) + key for key in keys)
        return self.key_id + self.counter.to_bytes(5, "big") + listed

    @classmethod
    def from_bytes(cls, content: bytes) -> State:
        """Reads what ``to_bytes`` wrote."""
        registers: list[bytes | None] = []
        at = 13
        for _ in range(REGISTERS):
            size = content[at]
            registers.append(content[at + 1 : at + 1 + size] or None)
            at += 1 + size
        return cls(content[:8], int.from_bytes(content[8:13], "big"), tuple(registers))


def _filled(state: State, key: bytes, start: int) -> State:
    """The registers up to ``start``, derived from this key (X9.24-3, 6.5.3)."""
    registers = list(state.registers)
    for index in range(start, -1, -1):
        tail = state.key_id[4:] + (state.counter | 1 << index).to_bytes(4, "big")
        registers[index] = derive(key, _DERIVATION, tail, len(key))
    return replace(state, registers=tuple(registers))


def working_key(derivation_key: bytes, usage: int, serial: bytes, length: int) -> bytes:
    """A working key of one transaction; ``serial`` is the key serial number (12 bytes)."""
    return derive(derivation_key, usage, serial[4:], length)


class DukptSealer:
    """Seals with a key per sale; the second sealer beside ``HpkeSealer``.

    The envelope is ``01 | 02 | key serial number (12) | nonce (12) | ciphertext | tag (16)``:
    AES-256-GCM under the data encryption key of that serial number, with the sale's binding as
    additional data. The nonce is random, so that a state that was put back from an old copy of
    the disk does not give two sales one key stream.

    Args:
        path: where the state is kept; its folder must exist.
        keystore: wraps the state.
        entropy: the nonces.
        reserve: how many sales one write of the state is good for.

    Raises:
        KeyStoreError: no initial key was injected, or the state cannot be read.
    """

    def __init__(
        self,
        path: Path,
        keystore: KeyStore,
        entropy: Entropy | None = None,
        *,
        reserve: int = RESERVED_SALES,
    ) -> None:
        self._file = _StateFile(path, keystore, entropy or SystemEntropy())
        self._entropy = entropy or SystemEntropy()
        self._reserve = reserve
        # What is in memory runs ahead of use, and what is on the disk ahead of that.
        self._disk = self._file.load()
        self._ready: list[tuple[int, bytes]] = []
        self._lock = threading.Lock()

    @property
    def key_id(self) -> str:
        """The initial key's identifier: 16 hexadecimal digits."""
        return self._disk.key_id.hex()

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """The envelope of ``plaintext``, bound to ``info``.

        Raises:
            KeyStoreError: the state cannot be written, so nothing was sealed.
        """
        with self._lock:
            if not self._ready:
                self._draw()
            counter, key = self._ready.pop(0)
        serial = self._disk.key_id + counter.to_bytes(4, "big")
        nonce = self._entropy.random_bytes(NONCE_BYTES)
        data_key = working_key(key, DATA_ENCRYPTION, serial, 32)
        header = bytes((ENVELOPE_VERSION, SUITE_AES_DUKPT)) + serial + nonce
        return header + AESGCM(data_key).encrypt(nonce, plaintext, info)

    def _draw(self) -> None:
        """Advances the state on the disk past the next sales, and then keeps their keys here."""
        state = self._disk
        drawn: list[tuple[int, bytes]] = []
        for _ in range(self._reserve):
            try:
                counter, key, state = state.next()
            except KeyStoreError:
                if not drawn:
                    raise
                break
            drawn.append((counter, key))
        self._file.save(state)
        self._disk, self._ready = state, drawn


def inject(path: Path, keystore: KeyStore, block: KeyBlock, entropy: Entropy | None = None) -> str:
    """Loads the initial key of an opened key block; its identifier in hexadecimal.

    Raises:
        KeyStoreError: the block holds another kind of key, or the state cannot be written.
    """
    identifier = block.optional.get("IK", "")
    if block.usage != INITIAL_KEY_USAGE or block.algorithm != "A" or block.mode != "X":
        raise KeyStoreError(
            "The key block holds no initial AES DUKPT key.",
            remedy="Ask the acquirer for a block of usage B1, algorithm A, mode X.",
        )
    try:
        key_id = bytes.fromhex(identifier)
    except ValueError:
        key_id = b""
    if len(key_id) != 8:
        raise KeyStoreError(
            "The key block does not name its initial key.",
            remedy="Ask the acquirer for a block with the optional block IK.",
        )
    _StateFile(path, keystore, entropy or SystemEntropy()).save(State.begin(key_id, block.key))
    return key_id.hex()


class _StateFile:
    """The state on the disk: whole or as it was, and only for this device."""

    def __init__(self, path: Path, keystore: KeyStore, entropy: Entropy) -> None:
        self._path = path
        self._entropy = entropy
        self._wrapping = AESGCM(keystore.mac("dukpt/wrapping", b""))

    def load(self) -> State:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            raise KeyStoreError(
                "This till has no DUKPT key yet.",
                remedy="Load the acquirer's key block: taptill keyring inject FILE",
            ) from None
        except OSError as cause:
            raise KeyStoreError(
                f"The DUKPT key {self._path} cannot be read ({cause.strerror})."
            ) from cause
        try:
            clear = self._wrapping.decrypt(
                content[:NONCE_BYTES], content[NONCE_BYTES:], _STATE_VERSION
            )
        except (InvalidTag, ValueError) as cause:
            raise KeyStoreError(
                f"The DUKPT key {self._path} is damaged, or belongs to another device.",
                remedy="Ask the acquirer for a new initial key.",
            ) from cause
        return State.from_bytes(clear)

    def save(self, state: State) -> None:
        nonce = self._entropy.random_bytes(NONCE_BYTES)
        content = nonce + self._wrapping.encrypt(nonce, state.to_bytes(), _STATE_VERSION)
        write_synced(self._path, content)
