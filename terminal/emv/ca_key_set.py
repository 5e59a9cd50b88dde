"""A set of CA public keys and revoked certificates, as an acquirer hands it to its tills.

Rules of this file: bytes in, a value out; the signature over those bytes is checked by whoever read
them (``drivers.ca_key_store``) before they come here. Unknown fields are refused, each key proves
itself by its checksum, and test keys never get into a till that moves real money.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.errors import ConfigError

_SET = {"version", "issued", "environment", "keys", "revoked"}
_KEY = {"rid", "index", "modulus", "exponent", "checksum", "expires"}
_REVOKED = {"rid", "index", "serial"}
_ENVIRONMENTS = ("production", "test")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class CaKeySet:
    """One issue of the acquirer's set; a later one has a higher ``version``."""

    version: int
    issued: date
    environment: str
    keys: CaKeys

    def expired(self, on: date) -> tuple[CaPublicKey, ...]:
        """The keys whose last day is over: cards that need one go online."""
        return tuple(key for key in self.keys.keys if key.expires and on > key.expires)


def parse_key_set(content: bytes, *, production: bool, source: str) -> CaKeySet:
    """Reads the JSON of a set; ``source`` names it in errors.

    ``{"version": 7, "issued": "2026-11-25", "environment": "production", "keys": [{"rid": "A0...",
    "index": "92", "modulus": "...", "exponent": "03", "checksum": "...", "expires": "2030-12-31"}],
    "revoked": [{"rid": "A0...", "index": "92", "serial": "001234"}]}``

    Raises:
        ConfigError: not that, a checksum that does not match, a key that is there twice, or keys
            of a test environment where real money moves.
    """
    try:
        table = json.loads(content)
    except ValueError as cause:
        raise ConfigError(f"{source} is not JSON: {cause}.") from cause
    fields = _fields(table, _SET, source)
    version = fields["version"]
    if type(version) is not int or version < 1:
        raise ConfigError(f"{source}: version is no whole number from 1.")
    environment = fields["environment"]
    if environment not in _ENVIRONMENTS:
        raise ConfigError(f"{source}: environment is neither production nor test.")
    if production and environment != "production":
        raise ConfigError(
            f"{source} holds test keys, and real money moves at this acquirer.",
            remedy="Load the acquirer's production set.",
        )
    keys = [_key(each, f"{source}: key {n}") for n, each in _numbered(fields["keys"], source)]
    revoked = [
        _revoked(each, f"{source}: revoked certificate {n}")
        for n, each in _numbered(fields["revoked"], source)
    ]
    issued = _day(fields["issued"], f"{source}: issued")
    return CaKeySet(version, issued, environment, CaKeys(tuple(keys), frozenset(revoked)))


def _numbered(value: object, source: str) -> list[tuple[int, object]]:
    if not isinstance(value, list):
        raise ConfigError(f"{source}: keys and revoked are lists.")
    return list(enumerate(value, start=1))


def _fields(value: object, names: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise ConfigError(f"{where}: expected exactly the fields {', '.join(sorted(names))}.")
    return value


def _bytes(value: object, where: str) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ConfigError(f"{where}: expected pairs of hexadecimal digits.")
    return bytes.fromhex(value)


def _day(value: object, where: str) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ConfigError(f"{where}: expected a day like 2030-12-31.")


def _index(value: object, where: str) -> int:
    index = _bytes(value, where)
    if len(index) != 1:
        raise ConfigError(f"{where}: expected one byte.")
    return index[0]


def _key(value: object, where: str) -> CaPublicKey:
    fields = _fields(value, _KEY, where)
    return CaPublicKey(
        rid=_bytes(fields["rid"], f"{where}: rid"),
        index=_index(fields["index"], f"{where}: index"),
        modulus=_bytes(fields["modulus"], f"{where}: modulus"),
        exponent=_bytes(fields["exponent"], f"{where}: exponent"),
        expires=_day(fields["expires"], f"{where}: expires"),
        checksum=_bytes(fields["checksum"], f"{where}: checksum"),
    )


def _revoked(value: object, where: str) -> tuple[bytes, int, bytes]:
    fields = _fields(value, _REVOKED, where)
    rid, serial = _bytes(fields["rid"], f"{where}: rid"), _bytes(fields["serial"], where)
    if len(rid) != 5 or len(serial) != 3:
        raise ConfigError(f"{where}: a RID has five bytes and a serial number three.")
    return rid, _index(fields["index"], f"{where}: index"), serial
