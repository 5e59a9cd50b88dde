"""Who may do what, and how long wrong PINs hold the door."""

from __future__ import annotations

import pytest

from terminal.roles import (
    FREE_TRIES,
    LONGEST_WAIT_S,
    RIGHTS,
    Action,
    Authorised,
    Role,
    may,
    pin_fault,
    wait_after,
)


@pytest.mark.parametrize(
    ("action", "rights"),
    [
        (Action.SELL, (True, True, True, False)),
        (Action.DISCOUNT, (False, True, True, False)),
        (Action.REFUND, (False, True, True, False)),
        (Action.REFUND_OVER_LIMIT, (False, True, True, False)),
        (Action.CLOSE_BATCH, (False, True, True, False)),
        (Action.CHANGE_LIMITS, (False, False, True, False)),
        (Action.MANAGE_STAFF, (False, False, True, False)),
        (Action.IMPORT_KEYS, (False, False, False, True)),
        (Action.VERIFY_LEDGER, (False, True, True, True)),
    ],
)
def test_the_table(action: Action, rights: tuple[bool, ...]) -> None:
    """Cashier, supervisor, merchant, technician."""
    assert tuple(may(role, action) for role in Role) == rights
    assert Authorised("Ada", Role.CASHIER).may(action) is rights[0]


def test_every_action_is_somebodys_and_money_is_never_the_technicians() -> None:
    assert set().union(*RIGHTS.values()) == set(Action)
    money = {Action.SELL, Action.REFUND, Action.REFUND_OVER_LIMIT, Action.VOID}
    assert not money & RIGHTS[Role.TECHNICIAN]
    assert RIGHTS[Role.CASHIER] < RIGHTS[Role.SUPERVISOR] < RIGHTS[Role.MERCHANT]


def test_waits_grow_and_never_end_before_they_began() -> None:
    waits = [wait_after(failures) for failures in range(20)]
    assert waits[: FREE_TRIES + 1] == [0.0, 0.0, 0.0, 5.0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S
    assert sum(wait_after(n) for n in range(1000)) > 10 * 86_400


@pytest.mark.parametrize(
    ("pin", "fault"),
    [
        ("2580", ""),
        ("739104628517", ""),
        ("123", "4 to 12"),
        ("7391046285170", "4 to 12"),
        ("12a4", "digits only"),
        ("\u0661\u0662\u0663\u0669", "digits only"),
        ("", "digits only"),
        ("7777", "easy to guess"),
        ("1234", "easy to guess"),
        ("7890", "easy to guess"),
        ("8765", "easy to guess"),
    ],
)
def test_pins(pin: str, fault: str) -> None:
    said = pin_fault(pin)
    assert (fault in said) if fault else not said
