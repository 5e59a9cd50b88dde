"""What a thief does with a till: everything on its disk, and no key of the acquirer.

It takes every byte of every file for a possible key, in every form a key could have there, and
tries each on each sealed card. It also tries all numbers that a masked card leaves open against
the fingerprints. Run by hand on a copy of a data folder:

    python -m tests.attack.attacker FOLDER
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from drivers.dukpt import DATA_ENCRYPTION, DUKPT_STATE, State, working_key
from drivers.keystore import HEADER_SIZE, FileKeyStore, key_id_of
from hardware_sim.acquirer_keys import OpeningKeys
from terminal.errors import HostGarbled
from terminal.iso8583.hostside import Request, parse_request
from terminal.iso8583.profiles import PROFILES
from terminal.tokens import binding_info

_KEY_BYTES = 32
_PEM = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
_HEX = re.compile(rb"[0-9A-Fa-f]{64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")


@dataclass(frozen=True, slots=True)
class SealedSale:
    """A sealed card, and everything about its sale that stands beside it in the clear."""

    request: Request

    @property
    def envelope(self) -> bytes:
        return self.request.envelope

    def info(self, key_id: str) -> bytes:
        """The binding is no secret: the thief rebuilds it."""
        sequence, _, txn_id = self.request.reference.partition(":")
        return binding_info(
            terminal_id=self.request.terminal_id,
            sequence=int(sequence),
            txn_id=txn_id,
            processing_code=self.request.fields[3],
            amount_minor=self.request.amount_minor,
            currency_number=int(self.request.fields[49]),
            transmitted=self.request.fields[7],
            key_id=key_id,
        )


@dataclass
class Loot:
    """What was found, and how much was tried for it."""

    envelopes: int = 0
    candidates: int = 0
    opened: list[bytes] = field(default_factory=list)


class Attacker:
    """Somebody with a copy of the device's disk, but for the files named in ``without``."""

    def __init__(self, image: Path, *, without: frozenset[str] = frozenset()) -> None:
        self.files = {
            path: path.read_bytes()
            for path in sorted(image.rglob("*"))
            if path.is_file() and path.name not in without
        }
        self.sales = list(self._sales())

    def _sales(self) -> Iterator[SealedSale]:
        for (message,) in self._ask("SELECT message FROM outbox"):
            for profile in PROFILES.values():
                try:
                    request = parse_request(profile, bytes(message))
                except HostGarbled:
                    continue
                yield SealedSale(request)
                break

    def _ask(self, question: str) -> Iterator[tuple[Any, ...]]:
        """The rows of every database in the image that can answer."""
        for path, content in self.files.items():
            if content.startswith(b"SQLite format 3"):
                connection = apsw.Connection(str(path))
                with contextlib.closing(connection), contextlib.suppress(apsw.SQLError):
                    yield from connection.execute(question).fetchall()

    def keys(self) -> Iterator[bytes]:
        """Every 32 bytes that stand anywhere, as they are, in hexadecimal, in base 64, in PEM."""
        for content in self.files.values():
            for match in _PEM.finditer(content):
                key = _from_pem(match[0])
                if key is not None:
                    yield key
            for match in _HEX.finditer(content):
                yield binascii.unhexlify(match[0])
            for match in _BASE64.finditer(content):
                text = match[0].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
                yield base64.b64decode(text + b"=")[:_KEY_BYTES]
            for start in range(len(content) - _KEY_BYTES + 1):
                yield content[start : start + _KEY_BYTES]

    def open_with_the_device_key(self, key_file: Path) -> Loot:
        """What the device's own key brings: it unwraps the DUKPT state, and opens nothing sealed.

        A used key cannot be derived from the state; a later one is tried on every sale.
        """
        keystore = FileKeyStore(key_file)
        loot = Loot(envelopes=len(self.sales))
        wrapping = keystore.mac("dukpt/wrapping", b"")
        for path, content in self.files.items():
            if path.name == DUKPT_STATE:
                state = _unwrapped(wrapping, content)
                assert state is not None, "the control: the device's key unwraps the state"
                loot.candidates += 1
                loot.opened += self._with_state(state)
        for label in ("ledger/1", "fingerprint/1", "pin/1", "dukpt/wrapping"):
            candidate = keystore.mac(label, b"")
            loot.candidates += 1
            loot.opened += self._directly(candidate)
            private = X25519PrivateKey.from_private_bytes(candidate)
            loot.opened += self._with(OpeningKeys((private,)))
        return loot

    def open_envelopes(self) -> Loot:
        """Tries every candidate as the acquirer's key, as the base key and on the DUKPT state."""
        loot = Loot(envelopes=len(self.sales))
        wanted = {sale.envelope[2:HEADER_SIZE] for sale in self.sales}
        states = [content for path, content in self.files.items() if path.name == DUKPT_STATE]
        seen: set[bytes] = set()
        for candidate in self.keys():
            if candidate in seen or len(candidate) != _KEY_BYTES:
                continue
            seen.add(candidate)
            private = X25519PrivateKey.from_private_bytes(candidate)
            if key_id_of(private.public_key()) in wanted:
                loot.opened += self._with(OpeningKeys((private,)))
            for content in states:
                if state := _unwrapped(candidate, content):
                    loot.opened += self._with_state(state)
            loot.opened += self._directly(candidate)
        loot.candidates = len(seen)
        return loot

    def _with(self, keys: OpeningKeys) -> list[bytes]:
        opened = []
        for sale in self.sales:
            try:
                opened.append(keys.open(sale.envelope, sale.info))
            except Exception:  # noqa: BLE001 - the next one may open
                continue
        return opened

    def _directly(self, candidate: bytes) -> list[bytes]:
        """The candidate as the very key of the first DUKPT envelope: cheap, and one is enough."""
        for sale in self.sales:
            if sale.envelope[1] == 2:
                return _gcm(candidate, sale)
        return []

    def _with_state(self, state: State) -> list[bytes]:
        """The stolen state derives later keys; what was sealed before is tried with the next 64."""
        opened: list[bytes] = []
        for _ in range(64):
            counter, key, state = state.next()
            serial = state.key_id + counter.to_bytes(4, "big")
            for sale in self.sales:
                for number in (serial, sale.envelope[2:14]):
                    opened += _gcm(working_key(key, DATA_ENCRYPTION, number, 32), sale)
        return opened

    def fingerprints(self) -> dict[str, str]:
        """Each fingerprint in a ledger and the last four digits beside it."""
        question = "SELECT fingerprint, masked_pan FROM txn WHERE fingerprint IS NOT NULL"
        return {found: masked[-4:] for found, masked in self._ask(question)}

    def numbers_behind(
        self, bank: str, last4: str, functions: dict[str, Callable[[str], bytes]]
    ) -> tuple[dict[str, str], int]:
        """Card numbers whose fingerprint is in the ledger, and how many numbers were tried.

        ``bank`` is the first six digits, which a thief knows of any big bank; ``last4`` stands
        beside the fingerprint.
        """
        prints = set(self.fingerprints())
        found: dict[str, str] = {}
        tried = 0
        for number in numbers(bank, last4):
            tried += 1
            for name, function in functions.items():
                if function(number)[:16].hex() in prints:
                    found[number] = name
        return found, tried


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def numbers(bank: str, last4: str) -> Iterator[str]:
    """All card numbers of 16 digits with these ends and a right check digit: 100,000."""
    # Of the six digits between, the last one (which is not doubled) makes the sum come out.
    for middle in range(10**5):
        left = f"{bank}{middle:05d}"
        known = sum(
            _DOUBLED[int(digit)] if place % 2 == 0 else int(digit)
            for place, digit in enumerate(f"{left}0{last4}")
        )
        yield f"{left}{-known % 10}{last4}"


def guesses() -> dict[str, Callable[[str], bytes]]:
    """What a fingerprint could be without a secret."""
    lp = (b"\x00\x00\x00\x08pan-fp/1\x00\x00\x00\x10%s",)
    made: dict[str, Callable[[str], bytes]] = {}
    for name in ("sha256", "sha1", "md5", "sha512"):
        made[name] = lambda number, name=name: hashlib.new(name, number.encode()).digest()  # type: ignore[misc]  # bound
        made[f"{name} framed"] = lambda number, name=name: hashlib.new(  # type: ignore[misc]  # bound
            name, lp[0] % number.encode()
        ).digest()
    for key in (b"", b"taptill", bytes(32), b"TAPTILL1"):
        made[f"HMAC under {key!r}"] = lambda number, key=key: hmac.digest(  # type: ignore[misc]  # bound
            key, lp[0] % number.encode(), "sha256"
        )
    return made


def _from_pem(text: bytes) -> bytes | None:
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError):
        return None
    return key.private_bytes_raw() if isinstance(key, X25519PrivateKey) else None


def _unwrapped(candidate: bytes, content: bytes) -> State | None:
    try:
        clear = AESGCM(candidate).decrypt(content[:12], content[12:], b"taptill dukpt state 1")
    except InvalidTag:
        return None
    return State.from_bytes(clear)


def _gcm(key: bytes, sale: SealedSale) -> list[bytes]:
    envelope = sale.envelope
    try:
        info = sale.info(envelope[2:10].hex())
        return [AESGCM(key).decrypt(envelope[14:26], envelope[26:], info)]
    except InvalidTag:
        return []


if __name__ == "__main__":
    thief = Attacker(Path(sys.argv[1]))
    result = thief.open_envelopes()
    print(  # noqa: T201 - a tool of the command line
        f"{result.envelopes} sealed cards, {result.candidates} candidate keys,"
        f" {len(result.opened)} opened"
    )
