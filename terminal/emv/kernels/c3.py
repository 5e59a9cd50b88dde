"""Kernel 3: Visa qVSDC (EMV Contactless Book C-3).

Rules of this file: what is Visa's own; the steps are in ``at_once``, the signature in
``fast_dda``. Magnetic stripe data (MSD) has no cryptogram that a terminal could check, and is not
there.
"""

from __future__ import annotations

from terminal.emv.apdu import Dialogue
from terminal.emv.kernels import at_once, fast_dda
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Outcome

_SCHEME = at_once.AtOnce(
    wishes=fast_dda.wishes,
    confirms_device=fast_dda.confirms_device,
    authenticate=fast_dda.verify,
    proof="fast DDA",
)


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    return (yield from at_once.run(activation, _SCHEME))
