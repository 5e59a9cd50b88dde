"""The MAC of an answer: what it covers, and under which key.

Rules of this file: pure. The key is agreed between the till's key, which travels in the request,
and the acquirer's sealing key, whose private half only the acquirer has. So whoever sits inside the
TLS connection, even with the host's certificate, can break it and can compose nothing. The MAC
covers the request as the host has read it, so what was changed on the way there shows as well, and
an answer to another message is worth nothing.
"""

from __future__ import annotations

import hmac

from terminal.iso8583.codec import Message
from terminal.iso8583.profile import Profile

MAC_BYTES = 8
_LABEL = b"taptill/answer-mac/1"


def answer_key(shared: bytes, till_key: bytes) -> bytes:
    """The key for the answers to one till: of the agreed secret and of DE 120 as it was sent.

    One step of HKDF (RFC 5869) each, over SHA-256; 32 bytes.
    """
    extracted = hmac.digest(_LABEL, shared, "sha256")
    return hmac.digest(extracted, _LABEL + till_key + b"\x01", "sha256")


def is_protected(profile: Profile, mti: str) -> bool:
    """Whether a message of this type carries the till's key, and its answer a MAC."""
    form = profile.messages.get(mti)
    return bool(profile.key_field) and form is not None and profile.key_field in form.allowed


def mac_of(profile: Profile, key: bytes, request: Message, answer: Message) -> str:
    """DE 128 of an answer, in upper-case hexadecimal.

    A repeat has the MAC of its first copy: the digit that says "repeat" is not covered.
    """
    covered = (
        [("", request.mti[:3]), *_listed(request)],
        [("", answer.mti), *((n, v) for n, v in _listed(answer) if n != str(profile.mac_field))],
    )
    message = b"".join(
        len(text).to_bytes(4, "big") + text.encode()
        for part in covered
        for pair in (("fields", str(len(part))), *part)
        for text in pair
    )
    return hmac.digest(key, message, "sha256")[:MAC_BYTES].hex().upper()


def _listed(message: Message) -> list[tuple[str, str]]:
    return [(str(number), value) for number, value in sorted(message.fields.items())]
