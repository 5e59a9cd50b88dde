"""The people of the till: PINs, the lock-out that survives, and what the log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.keystore import FileKeyStore
from offline_queue.audit import Audit
from offline_queue.sql import rows
from offline_queue.staff import PinCost, Staff
from terminal.errors import StaffError
from terminal.roles import Action, Authorised, Refused, Role
from tests.offline_queue.sales import Till

# Eight KiB is the least that argon2 takes: these tests are not about what a guess costs.
CHEAP = PinCost(memory_kib=8, passes=1)


def staff_of(till: Till, key: str = "device.key") -> Staff:
    keystore = FileKeyStore(till.path.parent / key)
    return Staff(till.store, keystore, till.clock, till.entropy, cost=CHEAP)


@pytest.fixture
def staff(till: Till) -> Staff:
    staff = staff_of(till)
    assert staff.empty
    staff.add("Grace", Role.MERCHANT, "583920", by="till")
    staff.add("Ada", Role.CASHIER, "2580", by="Grace")
    return staff


def test_a_pin_finds_its_person_with_and_without_the_name(staff: Staff) -> None:
    assert not staff.empty
    assert staff.verify("2580") == Authorised("Ada", Role.CASHIER)
    assert staff.verify("2580", name="Ada") == Authorised("Ada", Role.CASHIER)
    assert staff.verify("583920") == Authorised("Grace", Role.MERCHANT)
    assert staff.verify("2580", name="Grace") == Refused(0.0)
    assert staff.verify("2581") == Refused(0.0)
    assert staff.verify("2580", name="Nobody") == Refused(0.0)


def test_the_lock_out_grows_survives_a_restart_and_a_clock_set_back(
    till: Till, staff: Staff
) -> None:
    refusals = [staff.verify("9999") for _ in range(3)]
    assert refusals == [Refused(0.0), Refused(0.0), Refused(5.0)]
    assert staff.verify("2580") == Refused(5.0), "the right PIN waits too"
    till.clock.advance(2)
    till.reopen()
    staff = staff_of(till)
    assert staff.verify("2580") == Refused(3.0)
    till.clock.advance(-3600)
    assert staff.verify("2580") == Refused(5.0)
    till.clock.advance(3600 + 3)
    assert staff.verify("9999") == Refused(15.0)
    till.clock.advance(15)
    assert staff.verify("2580") == Authorised("Ada", Role.CASHIER)
    assert staff.verify("9999") == Refused(0.0), "a right PIN forgives the wrong ones"


def test_one_person_locked_out_locks_out_nobody_else(staff: Staff) -> None:
    for _ in range(4):
        staff.verify("9999", name="Ada")
    assert staff.verify("2580", name="Ada") == Refused(5.0)
    assert staff.verify("583920", name="Grace") == Authorised("Grace", Role.MERCHANT)


def test_a_try_is_counted_before_the_pin_is_looked_at(
    till: Till, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled_plug(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("offline_queue.staff._matches", pulled_plug)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            staff.verify("2580")
    monkeypatch.undo()
    assert staff.verify("2580") == Refused(5.0)


def test_the_ledger_without_the_device_key_verifies_no_pin(till: Till, staff: Staff) -> None:
    assert staff_of(till, "another.key").verify("2580") == Refused(0.0)
    with till.store.read() as connection:
        stored = [pin for (pin,) in rows(connection, "SELECT pin FROM staff")]
    assert all(pin.startswith("$argon2id$v=19$m=8,t=1,p=1$") for pin in stored)
    content = Path(till.path).read_bytes()
    assert b"2580" not in content
    assert b"583920" not in content


@pytest.mark.parametrize(
    ("name", "pin", "said"),
    [
        ("Eve", "2580", "Somebody has this PIN"),
        ("Eve", "1234", "easy to guess"),
        ("", "7391", "1 to 40"),
        ("E\nve", "7391", "1 to 40"),
    ],
)
def test_what_is_refused_names_why(staff: Staff, name: str, pin: str, said: str) -> None:
    with pytest.raises(StaffError, match=said):
        staff.add(name, Role.CASHIER, pin, by="Grace")


def test_there_is_always_a_merchant(till: Till, tmp_path: Path) -> None:
    staff = staff_of(till)
    with pytest.raises(StaffError, match="must be the merchant"):
        staff.add("Ada", Role.CASHIER, "2580", by="till")
    staff.add("Grace", Role.MERCHANT, "583920", by="till")
    with pytest.raises(StaffError, match="must be the merchant"):
        staff.add("Grace", Role.CASHIER, "583920", by="Grace")
    staff.add("Ada", Role.CASHIER, "2580", by="Grace")
    with pytest.raises(StaffError, match="only merchant"):
        staff.remove("Grace", by="Grace")
    with pytest.raises(StaffError, match="called 'Eve'"):
        staff.remove("Eve", by="Grace")
    staff.remove("Ada", by="Grace")
    assert staff.verify("2580") == Refused(0.0)
    assert [(p.name, p.active) for p in staff.people()] == [("Ada", False), ("Grace", True)]


def test_the_log_says_who_did_what_and_who_was_refused(till: Till, staff: Staff) -> None:
    staff.verify("9999", name="Ada")
    ada = staff.verify("2580")
    with pytest.raises(StaffError, match="may not change limits"):
        staff.require(ada, Action.CHANGE_LIMITS)
    with pytest.raises(StaffError, match="wrong, or was tried too often"):
        staff.require(Refused(5.0), Action.SELL)
    assert staff.require(ada, Action.SELL) == Authorised("Ada", Role.CASHIER)
    log = [(entry.who, entry.what, dict(entry.detail)) for entry in Audit(till.store).entries()]
    assert log == [
        ("Ada", "refused: change limits", {}),
        ("Ada", "wrong PIN", {"failures": 1}),
        ("Grace", "staff: added", {"name": "Ada", "role": "cashier"}),
        ("till", "staff: added", {"name": "Grace", "role": "merchant"}),
    ]


def test_the_log_cannot_be_changed_through_sql(till: Till, staff: Staff) -> None:
    for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'Eve'"):
        with pytest.raises(AssertionError, match="append-only"), till.store.write() as connection:
            connection.execute(statement)
