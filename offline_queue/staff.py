"""The people of the till and their PINs, kept in the ledger.

Rules of this file: a PIN is stored as argon2id over its MAC under the device key, so the ledger
alone gives no PIN away however few digits it has. A try is counted on the disk before the PIN is
looked at, so that neither a restart nor a pulled plug gives tries back. Every change is in the
audit log with the person who made it, in the same SQL transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import apsw
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from offline_queue import audit
from offline_queue.events import read_time, write_time
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StaffError
from terminal.ports import Clock, Entropy, KeyStore
from terminal.roles import Action, Admission, Authorised, Refused, Role, pin_fault, wait_after

STAFF_MAX = 40
"""More people than this would make a PIN without a name slow to find."""

ANYBODY = ""
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class PinCost:
    """What a guess costs: OWASP's argon2id parameters, 19 MiB and two passes on one lane."""

    memory_kib: int = 19 * 1024
    passes: int = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works at this till. Who has left stays in the list, for the audit log."""

    name: str
    role: Role
    active: bool


class Staff:
    """Who works here, and whether a PIN is one of theirs.

    Args:
        store: the till's ledger, open for writing.
        keystore: holds the device key that every PIN is keyed with.
        clock: the time of day; the waits after wrong PINs are measured on it.
        entropy: the salts.
        cost: what a guess costs.
    """

    def __init__(
        self,
        store: Store,
        keystore: KeyStore,
        clock: Clock,
        entropy: Entropy,
        *,
        cost: PinCost = PinCost(),  # Frozen, so one for all is safe.
    ) -> None:
        self._store = store
        self._keystore = keystore
        self._clock = clock
        self._entropy = entropy
        self._cost = cost

    @property
    def empty(self) -> bool:
        """Whether nobody has a PIN yet, so that the till belongs to whoever stands at it."""
        return not any(person.active for person in self.people())

    def people(self) -> list[Person]:
        """Everybody, by name.

        Raises:
            StoreError: the ledger cannot be read.
        """
        return people_of(self._store)

    def verify(self, pin: str, *, name: str = ANYBODY) -> Admission:
        """Whose PIN this is; of one person, or of anybody who works here.

        Wrong PINs are counted by name, and together where no name was given. ``Refused`` says
        how long to wait; 0 means that the next try is free.

        Raises:
            StoreError: the try cannot be counted, so the PIN was not looked at.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            waiting_s, failures = _wait(connection, name, now)
            if waiting_s > 0:
                return Refused(waiting_s)
            connection.execute(
                "INSERT OR REPLACE INTO pin_failures (scope, failures, last_at) VALUES (?, ?, ?)",
                (name, failures + 1, write_time(now)),
            )
            candidates = rows(
                connection,
                "SELECT name, role, pin FROM staff WHERE active = 1 AND (name = ? OR ? = '')",
                (name, name),
            )
        keyed = self._keyed(pin)
        for owner, role, stored in candidates:
            if _matches(keyed, stored):
                with self._store.write() as connection:
                    connection.execute("DELETE FROM pin_failures WHERE scope = ?", (name,))
                return Authorised(owner, Role(role))
        with self._store.write() as connection:
            who = name or "somebody"
            audit.note(connection, now, who, "wrong PIN", {"failures": failures + 1})
        return Refused(wait_after(failures + 1))

    def add(self, name: str, role: Role, pin: str, *, by: str) -> None:
        """Makes somebody known, or gives them another role and PIN.

        Raises:
            StaffError: the name or PIN cannot be used, or somebody has this PIN already.
            StoreError: nothing was changed.
        """
        name = name.strip()
        if not 0 < len(name) <= 40 or not name.isprintable():
            raise StaffError("A name has 1 to 40 letters.", remedy="Type another name.")
        others = [person for person in self.people() if person.active and person.name != name]
        if len(others) >= STAFF_MAX:
            raise StaffError(
                f"{STAFF_MAX} people work here already.", remedy="Remove somebody who has left."
            )
        if role is not Role.MERCHANT and not any(p.role is Role.MERCHANT for p in others):
            raise StaffError(
                "Somebody must be the merchant: only a merchant can change the staff.",
                remedy="Add the merchant first, with the role merchant.",
            )
        stored = self._hash(pin, taken_by_others_than=name)
        with self._store.write() as connection:
            now = self._clock.now()
            connection.execute(
                "INSERT OR REPLACE INTO staff (name, role, pin, active, changed_at)"
                " VALUES (?, ?, ?, 1, ?)",
                (name, role.value, stored, write_time(now)),
            )
            connection.execute("DELETE FROM pin_failures WHERE scope = ?", (name,))
            audit.note(connection, now, by, "staff: added", {"name": name, "role": role.value})

    def remove(self, name: str, *, by: str) -> None:
        """Ends somebody's rights; the name stays in the log.

        Raises:
            StaffError: there is no such person, or they are the last merchant of a staff.
            StoreError: nothing was changed.
        """
        people = [person for person in self.people() if person.active]
        if name not in {person.name for person in people}:
            raise StaffError(f"Nobody here is called {name!r}.", remedy="See: taptill users list")
        left = [person for person in people if person.name != name]
        if left and not any(person.role is Role.MERCHANT for person in left):
            raise StaffError(f"{name} is the only merchant.", remedy="Add another merchant first.")
        with self._store.write() as connection:
            now = self._clock.now()
            connection.execute(
                "UPDATE staff SET active = 0, pin = '', changed_at = ? WHERE name = ?",
                (write_time(now), name),
            )
            audit.note(connection, now, by, "staff: removed", {"name": name})

    def require(self, admission: Admission, action: Action) -> Authorised:
        """The person, if they may do this; a refusal is in the audit log.

        Raises:
            StaffError: the PIN was refused, or the person may not do this.
        """
        if isinstance(admission, Refused):
            later = f"Try again in {admission.wait_s:.0f} s." if admission.wait_s else "Try again."
            raise StaffError("The PIN is wrong, or was tried too often.", remedy=later)
        if not admission.may(action):
            audit.Audit(self._store).record(
                self._clock.now(), admission.name, f"refused: {action.value}"
            )
            raise StaffError(
                f"{admission.name} ({admission.role.value}) may not {action.value}.",
                remedy="Ask somebody who may.",
            )
        return admission

    def _hash(self, pin: str, *, taken_by_others_than: str) -> str:
        if fault := pin_fault(pin):
            raise StaffError(fault, remedy="Choose another PIN.")
        keyed = self._keyed(pin)
        with self._store.read() as connection:
            others = rows(
                connection,
                "SELECT pin FROM staff WHERE active = 1 AND name <> ?",
                (taken_by_others_than,),
            )
        if any(_matches(keyed, stored) for (stored,) in others):
            raise StaffError("Somebody has this PIN already.", remedy="Choose another PIN.")
        kdf = Argon2id(
            salt=self._entropy.random_bytes(_SALT_BYTES),
            length=32,
            iterations=self._cost.passes,
            lanes=1,
            memory_cost=self._cost.memory_kib,
        )
        return kdf.derive_phc_encoded(keyed)

    def _keyed(self, pin: str) -> bytes:
        """The PIN under the device key: what is hashed has 256 bits, and not 13."""
        return self._keystore.mac("pin/1", pin.encode())


def people_of(store: Store) -> list[Person]:
    """Everybody in a ledger, by name; also of one that is open for reading only.

    Raises:
        StoreError: the ledger cannot be read.
    """
    with store.read() as connection:
        found = rows(connection, "SELECT name, role, active FROM staff ORDER BY name")
    return [Person(name, Role(role), bool(active)) for name, role, active in found]


def _matches(keyed: bytes, stored: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(keyed, stored)
    except InvalidKey:
        return False
    return True


def _wait(connection: apsw.Connection, scope: str, now: datetime) -> tuple[float, int]:
    """Seconds until the next PIN is looked at, and the wrong ones so far."""
    if not one(connection, "SELECT count(*) FROM pin_failures WHERE scope = ?", (scope,)):
        return 0.0, 0
    ((failures, last_at),) = rows(
        connection, "SELECT failures, last_at FROM pin_failures WHERE scope = ?", (scope,)
    )
    wait_s = wait_after(failures)
    # A clock that was set back must not open the door, nor close it for longer than the wait.
    passed_s = max(0.0, (now - read_time(last_at)).total_seconds())
    return max(0.0, wait_s - passed_s), int(failures)
