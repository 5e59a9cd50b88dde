"""The messages of a hold, and those about an earlier transaction: taking it, and voiding.

Rules of this file: as in ``terminal.iso8583.messages``, whose fields these are made of.
"""

from __future__ import annotations

from terminal.iso8583.codec import Message
from terminal.iso8583.messages import SaleFacts, original_data, pack, sale_fields
from terminal.iso8583.profile import Profile


def compose_hold(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0100 that sets an amount aside on a card, to be taken later by a 0220.

    Raises:
        AssertionError: a value does not fit its field.
    """
    fields = sale_fields(profile, facts)
    return pack(profile, Message("0100", {**fields, 25: "06"}))  # Pre-authorised request.


def compose_completion(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0220 that takes what a hold has set aside: no card, the hold's RRN and approval code.

    Raises:
        AssertionError: a value does not fit its field.
    """
    if not facts.approval_code:
        raise AssertionError("a hold is taken under its approval code")
    fields = sale_fields(profile, facts)
    return pack(profile, Message("0220", {**fields, 25: "06"}))


def compose_void(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0420 that takes an approved transaction back: the numbers of the original, DE 39 = 17.

    17 is "customer cancellation" in ISO 8583:1987. A till that waited in vain says 68.

    Raises:
        AssertionError: a value does not fit its field, or the original is not named.
    """
    if facts.original is None:
        raise AssertionError("a void is about an original")
    allowed = profile.messages["0420"].allowed
    fields = {n: v for n, v in sale_fields(profile, facts).items() if n in allowed}
    fields |= {39: "17", 90: original_data(facts.original)}
    return pack(profile, Message("0420", fields))
