"""Every failure of the terminal has a name in this one tree.

::

    TerminalError
     +-- AmountError            what the cashier typed is not an amount
     +-- RefundRefused          this sale cannot be given back or voided, and why
     |    +-- SupervisorNeeded  it can, once a supervisor has looked at the reasons
     +-- CatalogueError         a list of items has lines that cannot be read
     +-- ReaderError
     |    +-- ReaderNotFound    no reader answers there now
     |    |    +-- ReaderAddressWrong   no reader can ever answer there
     |    +-- ReaderUnplugged   the reader went away while it was in use
     |    +-- CardLost          the card left the field in the middle of an exchange
     +-- CardError              the card broke the rules (bad TLV, bad status word)
     |    +-- AuthenticationFailed   a certificate or signature of the card does not hold
     +-- HostError
     |    +-- HostUnreachable   nothing left the socket: the sale may be deferred
     |    +-- HostSilent        sent, fate unknown: the sale must be reversed
     |    +-- HostGarbled       an answer came and cannot be read: fate unknown
     +-- PrinterError           the paper did not come out; the sale is unaffected
     +-- ConfigError            the configuration names something that cannot be used
     +-- KeyStoreError          a key is missing, unreadable or too weak for its use
     +-- StaffError             a name, role or PIN that this till does not take
     +-- StoreError             the ledger cannot be opened or written
          +-- StoreFull         no room: refused before a card is read
          +-- StoreTooNew       written by a newer Taptill
          +-- StoreTooOld       written by an older one, and not updated yet
          +-- StoreBusy         another till process owns the ledger
          +-- ClaimLost         another forwarder has taken the message over: its result counts
          +-- StoreSealed       the ledger was changed from outside: no sales, reading goes on
          +-- AnswerLost        the acquirer was asked, the answer is not recorded: fate unknown

Declined, try again, use another card and see phone are values (``Outcome``), never
exceptions. An ``AssertionError`` means that *we* broke the rules: the payment in hand ends
as UNKNOWN and the till shows "out of service".

No message here may carry card data. A message names the thing that failed, and ``remedy``
says what a person can do about it.
"""

from __future__ import annotations


class TerminalError(Exception):
    """A named failure, with the remedy a person can try.

    Args:
        message: what failed, naming the thing (a reader, a file, a field), without card data.
        remedy: one sentence that says what to do; empty where nothing can be done here.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class AmountError(TerminalError):
    """The text is not an amount of money that this till can take."""


class RefundRefused(TerminalError):
    """The shop's rules, or the sale itself, allow no such refund, void or completion."""


class SupervisorNeeded(RefundRefused):
    """It is held until a supervisor has seen ``reasons`` and allows it."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(
            f"A supervisor has to allow this: {' '.join(reasons)}",
            remedy="Let a supervisor look at it and confirm.",
        )
        self.reasons = reasons


class CatalogueError(TerminalError):
    """A list of items cannot be read: ``faults`` name each place by line and column."""

    def __init__(self, message: str, faults: tuple[str, ...], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.faults = faults


class ReaderError(TerminalError):
    """Something between the till and the card went wrong."""


class ReaderNotFound(ReaderError):
    """No reader answers at this address. It may be plugged in later."""


class ReaderAddressWrong(ReaderNotFound):
    """The address itself is wrong: a scheme, a card or an option that does not exist."""


class ReaderUnplugged(ReaderError):
    """The reader was there and is gone."""


class CardLost(ReaderError):
    """The card left the field, or stopped answering, in the middle of an exchange."""


class CardError(TerminalError):
    """The card broke the rules: malformed TLV, a wrong status word, contradicting data."""


class AuthenticationFailed(CardError):
    """A certificate or signature of the card does not hold; the message names the check.

    Kernels turn it into a value: what it means depends on the card's and terminal's rules.
    """


class HostError(TerminalError):
    """The acquirer's host did not give a usable answer."""


class HostUnreachable(HostError):
    """Nothing left the socket. The host cannot know of the sale, so it may be deferred."""


class HostSilent(HostError):
    """Bytes left the socket and no answer came. The host may have booked the sale."""


class HostGarbled(HostError):
    """An answer came that cannot be trusted or read. The host may have booked the sale."""


class PrinterError(TerminalError):
    """The printer did not print. The receipt can be printed again."""


class ConfigError(TerminalError):
    """The configuration is wrong: the message names the key and the file."""


class KeyStoreError(TerminalError):
    """A key or certificate is missing, unreadable, or not allowed for this use."""


class StaffError(TerminalError):
    """The name, role or PIN of a person cannot be used, or they may not do this."""


class StoreError(TerminalError):
    """The ledger cannot be opened, read or written."""


class StoreFull(StoreError):
    """The disk has no room for another sale."""


class StoreTooNew(StoreError):
    """The ledger was written by a newer version of Taptill."""


class StoreTooOld(StoreError):
    """The ledger was written by an older version of Taptill, and cannot be read as it is."""


class StoreBusy(StoreError):
    """Another process of this till has the ledger open for writing."""


class ClaimLost(StoreError):
    """Another forwarder has taken the message over; what this one was told is not recorded."""


class StoreSealed(StoreError):
    """The ledger is not as this till left it. Nothing is written to it; it can be read."""


class AnswerLost(StoreError):
    """The acquirer was asked and what it said could not be recorded: the fate is not known.

    The ledger still holds the request, so recovering it ends the sale as UNKNOWN and reverses it.
    """
