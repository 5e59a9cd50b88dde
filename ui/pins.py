"""Asking at the command line for the PIN of whoever does something.

Rules of this file: where nobody has a PIN, whoever stands here may do all, and the name that was
given is noted as it is.
"""

from __future__ import annotations

import click

from offline_queue.staff import Staff
from terminal.errors import StaffError
from terminal.roles import Action
from ui.wiring import Parts


def authorised(staff: Staff, action: Action, name: str) -> str:
    """Who may do this, by their PIN; without a name the PIN alone says who it is.

    Raises:
        StaffError: the PIN was refused, or the person may not do this.
    """
    if staff.empty:
        return name or "nobody"
    pin = click.prompt(f"PIN of {name}" if name else "PIN", hide_input=True, err=True)
    return staff.require(staff.verify(str(pin), name=name), action).name


def supervisor(parts: Parts, name: str, action: Action) -> str:
    """Who allows this, by name: proven by a PIN where the till has staff.

    Raises:
        StaffError: nobody was named, the PIN is wrong, or the person may not.
    """
    staff = Staff(parts.journal.store, parts.keystore, parts.clock, parts.entropy)
    if staff.empty:
        return name
    if not name:
        raise StaffError(
            f"Somebody who may {action.value} has to allow this.",
            remedy="Name them with --approved-by, --by or --cashier, whichever the command has;"
            " their PIN is asked for.",
        )
    return authorised(staff, action, name)
