"""What tells one answer from another when several are awaited, and the time that a host tells.

Rules of this file: pure, and no more is read than identifies a message. Whether the answer is
about the right sale and amount is checked by ``messages.read_answer``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from terminal.errors import HostGarbled
from terminal.iso8583.messages import ANSWERS, unpack
from terminal.iso8583.profile import Profile


def awaited_key(profile: Profile, request: bytes) -> tuple[str, ...]:
    """What the answer to ``request`` will have in common with no other: see ``told_key``.

    Raises:
        AssertionError: the bytes are no request of this profile.
    """
    try:
        asked = unpack(profile, request)
    except HostGarbled as error:
        fault = str(error)
    else:
        return (ANSWERS[asked.mti], asked.fields[11], asked.fields[41])
    raise AssertionError(f"our own message cannot be read back: {fault}")


def told_key(profile: Profile, answer: bytes) -> tuple[str, ...] | None:
    """Message type, STAN and terminal of an answer; None for bytes that cannot be read."""
    try:
        message = unpack(profile, answer)
    except HostGarbled:
        return None
    return (message.mti, message.fields[11], message.fields[41])


def host_time(profile: Profile, answer: bytes, near: datetime) -> datetime | None:
    """The host's own time in its answer to an echo, None where it does not tell it.

    The field has no year (ISO 8583:1987, DE 7): the one that brings it nearest to ``near`` is
    taken.

    Raises:
        HostGarbled: the answer cannot be read.
    """
    number = profile.delivery.host_time_field
    text = unpack(profile, answer).fields.get(number) if number is not None else None
    if text is None:
        return None
    years = (near.year - 1, near.year, near.year + 1)
    moments = [_moment(year, text) for year in years]
    return min((m for m in moments if m is not None), key=lambda moment: abs(moment - near))


def _moment(year: int, text: str) -> datetime | None:
    try:
        return datetime.strptime(f"{year}{text}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        # The 29th of February of a year that has none.
        return None
