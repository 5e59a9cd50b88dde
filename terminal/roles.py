"""Who may do what at the till: roles, actions, and the one table that joins them.

Rules of this file: pure data. A role has every right of the roles below it, but for the
technician, who mends the machine and never touches money. What needs a second person is asked
for by naming the action, never the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12


class Role(Enum):
    """What a person at the till is."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    MERCHANT = "merchant"
    TECHNICIAN = "technician"


class Action(Enum):
    """What a person may want of the till."""

    SELL = "sell"
    CANCEL_SALE = "cancel a sale before the card"
    SHOW_QUEUE = "look at what waits"
    PRINT_COPY = "print a receipt again"
    REPORT_X = "print the X report"
    REFUND = "refund within the limit"
    VOID = "void a sale"
    DISCOUNT = "take something off a price"
    CHECK_CARDHOLDER = "accept a signature"
    REFUND_OVER_LIMIT = "refund above the limit"
    TRAINING = "switch training mode"
    OVERRIDE_LIMIT = "store a sale above the limits"
    PAY_OUT = "take cash out above the limit"
    CONFIRM_TRANSFER = "confirm a bank transfer by hand"
    COUNT_DRAWER = "count the drawer"
    RETRY_SET_ASIDE = "send a set-aside sale round again"
    CLOSE_BATCH = "close the day"
    EXPORT_BOOKS = "export the books"
    CHANGE_SHOP = "change the shop's settings"
    CHANGE_LIMITS = "change limits"
    MANAGE_STAFF = "manage staff and PINs"
    EXPORT_QUEUE = "hand the queue to another till"
    PUT_ASIDE = "put the ledger aside"
    CHANGE_DEVICES = "change readers, printers and the network"
    IMPORT_KEYS = "import keys"
    ROTATE_KEYS = "rotate the till's keys"
    VERIFY_LEDGER = "verify the ledger"
    DIAGNOSE = "look at diagnostics"


_CASHIER = frozenset(
    {
        Action.SELL,
        Action.CANCEL_SALE,
        Action.SHOW_QUEUE,
        Action.PRINT_COPY,
        Action.REPORT_X,
        Action.CHECK_CARDHOLDER,
        Action.COUNT_DRAWER,
    }
)
_SUPERVISOR = _CASHIER | {
    Action.DISCOUNT,
    Action.REFUND,
    Action.VOID,
    Action.REFUND_OVER_LIMIT,
    Action.TRAINING,
    Action.OVERRIDE_LIMIT,
    Action.PAY_OUT,
    Action.CONFIRM_TRANSFER,
    Action.RETRY_SET_ASIDE,
    Action.CLOSE_BATCH,
    Action.VERIFY_LEDGER,
}
_MERCHANT = _SUPERVISOR | {
    Action.EXPORT_BOOKS,
    Action.CHANGE_SHOP,
    Action.CHANGE_LIMITS,
    Action.MANAGE_STAFF,
    Action.EXPORT_QUEUE,
    Action.PUT_ASIDE,
    Action.DIAGNOSE,
}
_TECHNICIAN = frozenset(
    {
        Action.SHOW_QUEUE,
        Action.CHANGE_DEVICES,
        Action.IMPORT_KEYS,
        Action.ROTATE_KEYS,
        Action.VERIFY_LEDGER,
        Action.DIAGNOSE,
        Action.EXPORT_QUEUE,
        Action.PUT_ASIDE,
    }
)

RIGHTS: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.CASHIER: _CASHIER,
        Role.SUPERVISOR: _SUPERVISOR,
        Role.MERCHANT: _MERCHANT,
        Role.TECHNICIAN: _TECHNICIAN,
    }
)
"""What each role may do. Every action is somebody's; a test holds that."""


def may(role: Role, action: Action) -> bool:
    """Whether someone with this role may do this."""
    return action in RIGHTS[role]


@dataclass(frozen=True, slots=True)
class Authorised:
    """The PIN was right: this is who it was."""

    name: str
    role: Role

    def may(self, action: Action) -> bool:
        """Whether this person may do this."""
        return may(self.role, action)


@dataclass(frozen=True, slots=True)
class Refused:
    """The PIN was not looked at, or was wrong; none is looked at for ``wait_s`` seconds."""

    wait_s: float


Admission = Authorised | Refused

FREE_TRIES = 3
_WAITS_S = (5.0, 15.0, 60.0, 300.0)
LONGEST_WAIT_S = 900.0


def wait_after(failures: int) -> float:
    """Seconds that pass after this many wrong PINs in a row before the next is looked at.

    Three are free, since fingers slip; then 5 s, 15 s, 1 min, 5 min and 15 min for each more.
    A thousand guesses at a PIN take more than ten days.
    """
    beyond = failures - FREE_TRIES
    if beyond < 0:
        return 0.0
    return _WAITS_S[beyond] if beyond < len(_WAITS_S) else LONGEST_WAIT_S


def pin_fault(pin: str) -> str:
    """Why these digits make no PIN; empty for a good one."""
    if not (pin.isascii() and pin.isdigit()):
        return "A PIN has digits only."
    if not PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX:
        return f"A PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits."
    if len(set(pin)) == 1 or pin in "01234567890123456789" or pin in "98765432109876543210":
        return "This PIN is too easy to guess."
    return ""
