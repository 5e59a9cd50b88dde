"""A link whose answers must have the acquirer's MAC: base87-mac.

Rules of this file: an answer that moves money and has no good MAC is no answer. It is handed on as
bytes that nobody can read, so that whoever asked treats it as damaged: the fate of the sale is
unknown, and it is reversed or asked again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.keystore import key_id_of
from terminal.errors import HostGarbled
from terminal.iso8583.answer_mac import answer_key, is_protected, mac_of
from terminal.iso8583.codec import Message
from terminal.iso8583.messages import ANSWERS, pack, unpack
from terminal.iso8583.profile import Profile
from terminal.ports import Link

NO_ANSWER = b""
"""What stands for an answer without its MAC: nobody can read it."""

_OUTSTANDING_MAX = 1024


class MacKey:
    """A till's key for the answers that it gets, and what it has agreed with an acquirer's.

    Args:
        acquirer_key: the acquirer's sealing key of now.
        secret: 32 bytes of which the till's private key is made. From the device's key store they
            are the same after a restart, and so are the bytes of a message that goes out again.
    """

    def __init__(self, acquirer_key: X25519PublicKey, secret: bytes) -> None:
        private = X25519PrivateKey.from_private_bytes(secret)
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.sent = key_id_of(acquirer_key) + public
        self.key = answer_key(private.exchange(acquirer_key), self.sent)


@dataclass
class MacLink:
    """A link on which each request carries the till's key, and each answer is held to its MAC.

    ``key_now`` gives the key to go by: an acquirer's sealing keys follow one another.
    """

    link: Link
    profile: Profile
    key_now: Callable[[], MacKey]
    _asked: dict[tuple[str, str, str], tuple[Message, bytes]] = field(default_factory=dict)

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        """See ``Host``.

        Raises:
            HostGarbled: the answer has no good MAC.
        """
        answer = self.link.exchange(self._sent(request), is_answer=is_answer, timeout_s=timeout_s)
        if not self._is_good(answer):
            # Whoever composes answers may have more of them on this connection.
            self.link.close()
            raise HostGarbled("The host's answer has no good MAC (DE 128).")
        return answer

    def send(self, request: bytes, *, timeout_s: float) -> None:
        """See ``Link``."""
        self.link.send(self._sent(request), timeout_s=timeout_s)

    def receive(self, *, timeout_s: float) -> list[bytes]:
        """See ``Link``; an answer without a good MAC comes as bytes that nobody can read."""
        came = self.link.receive(timeout_s=timeout_s)
        return [answer if self._is_good(answer) else NO_ANSWER for answer in came]

    def close(self) -> None:
        """See ``Host``."""
        self._asked.clear()
        self.link.close()

    def _sent(self, request: bytes) -> bytes:
        """The request with the till's key in it; it is remembered for the answer's MAC."""
        message = unpack(self.profile, request)
        if not is_protected(self.profile, message.mti):
            return request
        key = self.key_now()
        fields = {**message.fields, self.profile.key_field: key.sent.hex().upper()}
        outfitted = Message(message.mti, fields)
        if len(self._asked) >= _OUTSTANDING_MAX:
            # The oldest was given up long ago.
            self._asked.pop(next(iter(self._asked)))
        self._asked[_place(ANSWERS[message.mti], message)] = (outfitted, key.key)
        return pack(self.profile, outfitted)

    def _is_good(self, answer: bytes) -> bool:
        """Whether an answer that needs a MAC has it. What cannot be read is judged elsewhere."""
        try:
            message = unpack(self.profile, answer)
        except HostGarbled:
            return True
        form = self.profile.messages[message.mti]
        if self.profile.mac_field not in form.allowed:
            return True
        asked = self._asked.get(_place(message.mti, message))
        if asked is None:
            # It answers nothing that was asked here, and is dropped for that.
            return True
        wanted = mac_of(self.profile, asked[1], asked[0], message)
        return hmac.compare_digest(message.fields.get(self.profile.mac_field, ""), wanted)


def _place(answer_mti: str, message: Message) -> tuple[str, str, str]:
    """By what an answer is matched: message type, DE 11 and DE 41."""
    return answer_mti, message.fields[11], message.fields[41]
