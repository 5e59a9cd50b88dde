"""nfcpy's ``udp:`` device, made quick enough for a till that can be cancelled at any time.

Rules of this file: a desk toy, for a simulated card over the network stack; nothing more.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import Any

import nfc.clf.udp

_ANSWER_S = 0.02
_NETWORK_S = 0.25
"""A process far away may be held up for longer than a card on the air ever is."""


class Device(nfc.clf.udp.Device):  # type: ignore[misc] # nfcpy has no types.
    """nfcpy's network device, which waits a second for each answer where we have 20 ms."""

    def __init__(self, host: str, port: int) -> None:
        # nfcpy's own would turn the port into the name of its service, and fail at that name.
        self.addr = (socket.gethostbyname(host), port)
        self._path = f"{self.addr[0]}:{port}"
        self.socket = None
        self._create_socket()
        self._chipset_name = "UDP"
        self.crowded = False
        self._sensing = False

    def sense_tta(self, target: Any) -> Any:
        """As nfcpy's, quick; ``crowded`` says afterwards that two cards answered at once."""
        self.crowded = False
        with self._quickly():
            return super().sense_tta(target)

    def sense_ttb(self, target: Any) -> Any:
        """As nfcpy's, quick."""
        with self._quickly():
            return super().sense_ttb(target)

    def sense_ttf(self, target: Any) -> Any:
        """As nfcpy's, quick."""
        with self._quickly():
            return super().sense_ttf(target)

    @contextlib.contextmanager
    def _quickly(self) -> Iterator[None]:
        self._sensing = True
        try:
            yield
        finally:
            self._sensing = False

    def _recv_data(self, timeout: float, *brty: str) -> Any:
        patience_s = _ANSWER_S if self._sensing else max(timeout, _NETWORK_S)
        answer = super()._recv_data(patience_s, *brty)
        # Five bytes are an SDD_RES: a UID and its check byte, which a collision spoils.
        if self._sensing and len(answer[1]) == 5:
            self.crowded = reduce(xor, answer[1]) != 0
        return answer
