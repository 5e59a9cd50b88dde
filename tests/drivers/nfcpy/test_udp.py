"""nfcpy's network device behind addresses of every kind."""

from __future__ import annotations

import socket

import pytest

from drivers.nfcpy_udp import Device

NAMED = 21
"""FTP: every system's list of services has a name for it."""


@pytest.mark.parametrize("port", [NAMED, 54399])
def test_a_port_is_a_number_whether_or_not_its_service_has_a_name(port: int) -> None:
    if port == NAMED:
        assert socket.getservbyport(port)
    device = Device("localhost", port)
    try:
        assert device.addr == ("127.0.0.1", port)
    finally:
        device.close()
