"""How the simulated acquirer misbehaves: one value, from a URL, a command line or a live control.

Rules of this file: a ``Behaviour`` is a frozen value that is checked when it is made. Faults are
counted in messages, so that a test can say "the next two answers" and a person can say
``always``; a count is spent by ``hit``, which gives back the value that is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any

from terminal.errors import ConfigError

ALWAYS = -1
"""A count that is never used up."""

DELAY_MAX_MS = 600_000


class Fault(Enum):
    """What can go wrong with one message. The value is the option that counts it."""

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    CLOSE = "close"
    GARBLE = "garble"
    OTHER_STAN = "other_stan"
    TWICE = "twice"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the host treats messages and connections. The default is a host without faults.

    Each count is a number of messages, ``ALWAYS`` (-1) for all of them, 0 for none:

    - ``drop_before``: the request is lost before it is processed;
    - ``drop_after``: it is processed and booked, and the answer is lost;
    - ``close``: it is processed and booked, and the connection closed instead of an answer;
    - ``garble``: one byte of the answer is wrong;
    - ``other_stan``: the answer carries another STAN;
    - ``twice``: the answer comes twice;
    - ``late``: the answer comes ``late_ms`` later than it would.

    ``latency_ms`` delays every answer, in milliseconds. ``only`` names the message types (as
    ``0200``) that faults are for; empty for all. ``refuse`` is the network that is down: new
    connections are refused and open ones closed. ``mutual_tls`` demands the till's certificate.
    ``transfer_after`` is how often a bank transfer is asked for before it is there, 0 for never.

    Raises:
        ConfigError: a number is out of range, or a message type is not four digits.
    """

    latency_ms: int = 0
    drop_before: int = 0
    drop_after: int = 0
    close: int = 0
    garble: int = 0
    other_stan: int = 0
    twice: int = 0
    late: int = 0
    late_ms: int = 15_000
    only: tuple[str, ...] = ()
    refuse: bool = False
    mutual_tls: bool = False
    transfer_after: int = 2

    def __post_init__(self) -> None:
        for name in ("latency_ms", "late_ms"):
            if not 0 <= getattr(self, name) <= DELAY_MAX_MS:
                raise ConfigError(f"{name} is outside 0 to {DELAY_MAX_MS} milliseconds.")
        for fault in Fault:
            if getattr(self, fault.value) < ALWAYS:
                raise ConfigError(f"{fault.value} is neither a count of messages nor 'always'.")
        for mti in self.only:
            if not re.fullmatch(r"[0-9]{4}", mti, re.ASCII):
                raise ConfigError(
                    f"only={mti!r} names no message type.",
                    remedy="Give four digits, with commas between several: only=0200,0220.",
                )

    def hit(self, mti: str) -> tuple[frozenset[Fault], Behaviour]:
        """The faults that meet one message of type ``mti``, and the behaviour that is left."""
        if self.only and mti not in self.only:
            return frozenset(), self
        met = frozenset(fault for fault in Fault if getattr(self, fault.value) != 0)
        left = {
            fault.value: getattr(self, fault.value) - 1
            for fault in met
            if getattr(self, fault.value) != ALWAYS
        }
        return met, replace(self, **left)

    def changed(self, options: Mapping[str, str]) -> Behaviour:
        """This behaviour with options given as text, as in a URL or on a command line.

        Raises:
            ConfigError: an option is not known, or its value does not fit.
        """
        values: dict[str, Any] = {}
        known = {entry.name: entry.type for entry in fields(self)}
        for name, text in options.items():
            if name not in known:
                raise ConfigError(
                    f"The simulated acquirer has no option {name!r}.",
                    remedy=f"Options that exist: {', '.join(known)}.",
                )
            values[name] = _value(name, text, str(known[name]))
        return replace(self, **values)

    def as_options(self) -> dict[str, str]:
        """Every option as text, the way ``changed`` reads it."""
        return {name: as_option(name, value) for name, value in asdict(self).items()}


def _value(name: str, text: str, kind: str) -> int | bool | tuple[str, ...]:
    if kind == "bool":
        if text in {"1", "on", "yes", "true"}:
            return True
        if text in {"0", "off", "no", "false"}:
            return False
        raise ConfigError(f"{name}={text!r} is neither on nor off.")
    if kind == "int":
        if text == "always" and name in {fault.value for fault in Fault}:
            return ALWAYS
        if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            return int(text)
        raise ConfigError(f"{name}={text!r} is no whole number.")
    return tuple(part for part in text.split(",") if part)


def as_option(name: str, value: object) -> str:
    """The value of an option as text, the way ``Behaviour.changed`` reads it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(value)
    return "always" if value == ALWAYS and name in {fault.value for fault in Fault} else str(value)
