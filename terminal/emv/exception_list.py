"""The exception file: accounts that no longer may pay, as an acquirer hands them to its tills.

Rules of this file: bytes in, a value out; the signature over those bytes is checked by whoever read
them (``drivers.signed_store``). No account stands in the file: an entry is a keyed digest, so the
till keeps no card number of anybody, and a lookup is one digest (EMV Book 3, 10.6, leaves the
file's form to the acquirer).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from terminal.card import Pan
from terminal.errors import ConfigError

DIGEST_BYTES = 16
KEY_BYTES = 16

_FIELDS = {"version", "issued", "key", "accounts"}
_ENTRY = re.compile(rf"[0-9A-Fa-f]{{{2 * DIGEST_BYTES}}}", re.ASCII)
_KEY = re.compile(rf"[0-9A-Fa-f]{{{2 * KEY_BYTES}}}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExceptionList:
    """One issue of the acquirer's exception file; a later one has a higher ``version``."""

    version: int
    issued: date
    key: bytes = field(repr=False)
    accounts: frozenset[bytes] = field(repr=False)

    def has(self, pan: Pan, sequence: int | None) -> bool:
        """Whether this account is listed, or this one of its cards (PAN sequence number, 5F34)."""
        account = pan.reveal()
        whole = digest(self.key, account) in self.accounts
        return whole or (
            sequence is not None and digest(self.key, account, sequence) in self.accounts
        )


def digest(key: bytes, account: str, sequence: int | None = None) -> bytes:
    """An entry: HMAC-SHA-256 over ``PAN``, or ``PAN-SN`` for one card of it, cut to 16 bytes."""
    text = account if sequence is None else f"{account}-{sequence:02d}"
    return hmac.digest(key, text.encode("ascii"), hashlib.sha256)[:DIGEST_BYTES]


def parse_exception_list(content: bytes, *, source: str) -> ExceptionList:
    """Reads the JSON of an exception file; ``source`` names it in errors.

    ``{"version": 12, "issued": "2026-11-25", "key": "<32 digits>", "accounts": ["<32 digits>"]}``

    Raises:
        ConfigError: not that; the message names the entry by its number.
    """
    try:
        table = json.loads(content)
    except (ValueError, RecursionError) as cause:
        raise ConfigError(f"{source} is not JSON: {cause}.") from cause
    if not isinstance(table, dict) or table.keys() != _FIELDS:
        raise ConfigError(f"{source}: expected exactly the fields {', '.join(sorted(_FIELDS))}.")
    version, key, accounts = table["version"], table["key"], table["accounts"]
    if type(version) is not int or version < 1:
        raise ConfigError(f"{source}: version is no whole number from 1.")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ConfigError(f"{source}: key is not {2 * KEY_BYTES} hexadecimal digits.")
    if not isinstance(accounts, list):
        raise ConfigError(f"{source}: accounts is no list.")
    entries = frozenset(_entry(each, number, source) for number, each in enumerate(accounts, 1))
    return ExceptionList(version, _day(table["issued"], source), bytes.fromhex(key), entries)


def _entry(value: Any, number: int, source: str) -> bytes:
    if not isinstance(value, str) or not _ENTRY.fullmatch(value):
        # What stands there is not shown: it might be an account.
        raise ConfigError(
            f"{source}: account {number} is not {2 * DIGEST_BYTES} hexadecimal digits."
        )
    return bytes.fromhex(value)


def _day(value: Any, source: str) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ConfigError(f"{source}: issued is no day like 2026-11-25.")
