"""Issuer update: what the issuer has to say to the card, at a second tap (Books C-3 and C-5).

Rules of this file: scripts are the issuer's and the card's affair; the terminal sends each command
as it is, stops a script at the first that fails, and reports how far it came. It runs when the card
said that it takes updates (9F6C byte 2, bit 7) and the host sent something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from terminal.emv.apdu import Command, Dialogue
from terminal.emv.tlv import Tlv, decode
from terminal.errors import CardError

_CRITICAL_71, _FINAL_72 = 0x71, 0x72
_SCRIPT_ID_9F18, _COMMAND_86 = 0x9F18, 0x86
_TOTAL_MAX = 128
"""The longest that the scripts of one answer may be in all (EMV Book 3, 10.10)."""


@dataclass(frozen=True, slots=True)
class IssuerData:
    """What the answer of the host holds for the card: tag 91, and the scripts 71 and 72.

    Raises:
        CardError: the scripts are malformed or longer than 128 bytes.
    """

    authentication_91: bytes = field(default=b"", repr=False)
    scripts: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.authentication_91 and not 8 <= len(self.authentication_91) <= 16:
            raise CardError("The issuer's authentication data (91) is not 8 to 16 bytes.")
        if len(self.scripts) > _TOTAL_MAX:
            raise CardError(f"The issuer's scripts are longer than {_TOTAL_MAX} bytes.")
        for script in decode(self.scripts):
            if script.tag not in {_CRITICAL_71, _FINAL_72}:
                raise CardError("An issuer's script is neither template 71 nor 72.")


@dataclass(frozen=True, slots=True)
class Updated:
    """How an update went: issuer authentication, and the script results as 9F5B (Book 4, A5)."""

    authenticated: bool
    script_results: bytes


def supports_update(qualifiers: bytes) -> bool:
    """Whether the card's qualifiers (9F6C) say that it takes updates at the point of sale."""
    return len(qualifiers) == 2 and bool(qualifiers[1] & 0x40)


def run(data: IssuerData) -> Dialogue[Updated]:
    """EXTERNAL AUTHENTICATE and the scripts, on an application that is selected.

    Raises:
        CardLost: the card left, when that is thrown in.
    """
    authenticated = False
    if data.authentication_91:
        answer = yield Command(0x00, 0x82, 0x00, 0x00, data.authentication_91, None)
        authenticated = answer.ok
        if not authenticated:
            return Updated(authenticated=False, script_results=b"")
    results = b""
    for script in decode(data.scripts):
        results += yield from _script(script.children)
    return Updated(authenticated, results)


def _script(objects: Sequence[Tlv]) -> Dialogue[bytes]:
    """One script: 1x for a command that failed, 20 when all went well; then the identifier."""
    identifier = next((each.value for each in objects if each.tag == _SCRIPT_ID_9F18), bytes(4))
    commands = [each.value for each in objects if each.tag == _COMMAND_86]
    status = 0x20
    for number, wire in enumerate(commands, start=1):
        try:
            command = Command.decode(wire)
        except ValueError:
            status = 0x10 | min(number, 15)
            break
        answer = yield command
        if answer.sw >> 8 not in {0x90, 0x62, 0x63}:
            status = 0x10 | min(number, 15)
            break
    return bytes((status,)) + identifier.rjust(4, b"\0")[-4:]
