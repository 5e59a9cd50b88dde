"""The file in which one till hands its waiting messages to another, and the answers back.

Rules of this file: nobody without the code reads or changes anything in it (AES-256-GCM, with a
key from the code alone), and the code is never written to a file. Card data inside is sealed to
the acquirer once more, as it always is. A file that is not whole is refused whole.

::

    TAPTILL-HANDOVER-1 newline | salt, 16 bytes | nonce, 12 bytes | sealed JSON
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from terminal.errors import StoreError

MAGIC = b"TAPTILL-HANDOVER-1\n"
_SALT_BYTES, _NONCE_BYTES, _CODE_BYTES = 16, 12, 20
SALES, ANSWERS = "sales", "answers"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message that is handed over, or the answer to one that was.

    ``content`` is the message's bytes, or the answer's. ``since`` is when its sale began to
    wait; ``attempts`` how many sends may have reached the host.
    """

    txn_id: str
    key: str
    kind: str
    content: bytes = field(repr=False)
    attempts: int
    amount_minor: int
    currency: str
    since: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a file holds: ``sales`` from one till to another, or ``answers`` on the way back.

    ``name`` is random and the same for both; ``acquirer`` is the id of the sealing key of the
    acquirer whom the messages are for.
    """

    kind: str
    name: str
    sender: str
    receiver: str
    acquirer: str
    at: str
    parcels: tuple[Parcel, ...]


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """A code of 160 bits in 32 letters and digits, in groups of four for whoever types it."""
    text = base64.b32encode(random_bytes(_CODE_BYTES)).decode()
    return "-".join(re.findall("....", text))


def seal(bundle: Bundle, code: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """The bundle as a file."""
    salt, nonce = random_bytes(_SALT_BYTES), random_bytes(_NONCE_BYTES)
    values = asdict(bundle)
    for parcel in values["parcels"]:
        parcel["content"] = base64.b64encode(parcel["content"]).decode()
    head = MAGIC + salt
    sealed = AESGCM(_key(code, salt)).encrypt(nonce, json.dumps(values).encode(), head)
    return head + nonce + sealed


def unseal(content: bytes, code: str, source: str) -> Bundle:
    """The bundle in a file; ``source`` names it in errors.

    Raises:
        StoreError: it is no such file, the code is wrong, or something in it was changed.
    """
    if not content.startswith(MAGIC):
        raise StoreError(f"{source} is no file of handed-over sales.")
    head = content[: len(MAGIC) + _SALT_BYTES]
    rest = content[len(head) :]
    try:
        key = _key(code, head[len(MAGIC) :])
        plain = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head)
    except (InvalidTag, ValueError) as cause:
        raise StoreError(
            f"{source} does not open with this code, or it was damaged.",
            remedy="Type the code that was shown when the file was made; copy the file again.",
        ) from cause
    return _read(json.loads(plain))


def _key(code: str, salt: bytes) -> bytes:
    try:
        secret = base64.b32decode(re.sub(r"[\s-]", "", code).upper())
    except binascii.Error as cause:
        raise ValueError("not a code") from cause
    if len(secret) != _CODE_BYTES:
        raise ValueError("not a code")
    return HKDF(SHA256(), 32, salt, b"taptill/handover/1").derive(secret)


def _read(values: dict[str, Any]) -> Bundle:
    """What ``seal`` wrote: it was authentic, so anything else is a version that is not known."""
    try:
        parcels = tuple(
            Parcel(**{**parcel, "content": base64.b64decode(parcel["content"])})
            for parcel in values["parcels"]
        )
        known = {each.name: values[each.name] for each in fields(Bundle)}
        return Bundle(**{**known, "parcels": parcels})
    except (KeyError, TypeError, ValueError) as cause:
        raise StoreError("The file of handed-over sales is of another version.") from cause
