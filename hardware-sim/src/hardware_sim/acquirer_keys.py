"""What opens the simulated acquirer's envelopes: its HPKE key, and its DUKPT base key.

Rules of this file: the private half of sealing, as an acquirer's security module would hold it.
An envelope opens for the sale it was made for or not at all; nothing here looks inside.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from drivers.dukpt import KSN_BYTES, NONCE_BYTES, SUITE_AES_DUKPT
from drivers.key_blocks import wrap
from drivers.keystore import (
    ENVELOPE_VERSION,
    HEADER_SIZE,
    KEY_ID_SIZE,
    SUITE_X25519_AES256GCM,
    key_id_of,
)
from hardware_sim import dukpt
from terminal.iso8583.answer_mac import answer_key

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_HPKE = bytes((ENVELOPE_VERSION, SUITE_X25519_AES256GCM))
_DUKPT = bytes((ENVELOPE_VERSION, SUITE_AES_DUKPT))

InfoOf = Callable[[str], bytes]
"""The binding of a sale under a key id of 16 hexadecimal digits."""


class CannotOpen(Exception):
    """The envelope is for another key, another sale, or damaged; the message says which."""


@dataclass(frozen=True, slots=True)
class OpeningKeys:
    """The keys of one acquirer. Older HPKE keys stay, for what was sealed before a rotation."""

    hpke: tuple[X25519PrivateKey, ...] = field(repr=False)
    base_key: bytes = field(default=b"", repr=False)

    def open(self, envelope: bytes, info_of: InfoOf) -> bytes:
        """What was sealed.

        Raises:
            CannotOpen: it does not open for this sale.
        """
        try:
            if envelope[:2] == _DUKPT and self.base_key:
                return self._dukpt(envelope[2:], info_of)
            for key in self.hpke:
                key_id = key_id_of(key.public_key())
                if envelope[:HEADER_SIZE] == _HPKE + key_id:
                    return _SUITE.decrypt(envelope[HEADER_SIZE:], key, info_of(key_id.hex()))
        except InvalidTag:
            raise CannotOpen("the envelope does not open for this sale") from None
        raise CannotOpen("the envelope is for another key or of another version")

    def answer_key(self, till_key: bytes) -> bytes:
        """The key for the MACs of answers to a till, of its DE 120.

        Raises:
            CannotOpen: it is for another key of the acquirer's, or no key.
        """
        named, public = till_key[:KEY_ID_SIZE], till_key[KEY_ID_SIZE:]
        for key in self.hpke:
            if named == key_id_of(key.public_key()):
                try:
                    shared = key.exchange(X25519PublicKey.from_public_bytes(public))
                except ValueError:
                    break
                return answer_key(shared, till_key)
        raise CannotOpen("DE 120 has no key that an answer's MAC could be made with")

    def _dukpt(self, rest: bytes, info_of: InfoOf) -> bytes:
        serial = rest[:KSN_BYTES]
        nonce, sealed = rest[KSN_BYTES : KSN_BYTES + NONCE_BYTES], rest[KSN_BYTES + NONCE_BYTES :]
        if len(sealed) < 16:
            raise CannotOpen("the envelope is cut off")
        initial = dukpt.aes_initial_key(self.base_key, serial[:8])
        key = dukpt.aes_transaction_key(initial, serial)
        data_key = dukpt.aes_working_key(key, dukpt.DATA_ENCRYPT, "AES256", serial)
        return AESGCM(data_key).decrypt(nonce, sealed, info_of(serial[:8].hex()))


def initial_key_block(base_key: bytes, protection_key: bytes, terminal_id: str) -> str:
    """A terminal's initial DUKPT key in a version D key block, as a key facility sends it.

    Its identifier begins with that of the base key and ends with the terminal's own.
    """
    identifier = (
        hashlib.sha256(b"base" + base_key).digest()[:4]
        + hashlib.sha256(terminal_id.encode()).digest()[:4]
    )
    initial = dukpt.aes_initial_key(base_key, identifier)
    # The identifier (IK) and a padding block (PB) fill two whole blocks of the cipher.
    optional = f"IK14{identifier.hex().upper()}PB0C{secrets.token_hex(4).upper()}"
    length = 16 + len(optional) + 2 * (48 + 16)
    header = f"D{length:04d}B1AX00N0200{optional}"
    return wrap(protection_key, header, initial, secrets.token_bytes(48 - 2 - len(initial)))
