"""Two ways to ask SQLite, both of which read the answer to its end.

Rules of this file: a statement that is left half read would keep a transaction open, so rows
are always fetched whole. Values come back as what their STRICT column holds, which the type
checker cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

Values = Sequence[Any] | Mapping[str, Any]


def rows(connection: apsw.Connection, statement: str, values: Values = ()) -> list[Any]:
    """All rows, each a tuple of its columns."""
    return connection.execute(statement, values).fetchall()


def one(connection: apsw.Connection, statement: str, values: Values = ()) -> Any:
    """The one value of the one row.

    Raises:
        AssertionError: another number of rows or columns came back.
    """
    found = rows(connection, statement, values)
    if len(found) != 1 or len(found[0]) != 1:
        raise AssertionError(f"one value was expected of: {statement}")
    return found[0][0]
